import Postgres

/// What the audit asks of the record of administrators' actions. Parameters and columns as of every
/// question of the audit.
enum AuditActionStatements {
    // Each revision of the directory since there is a record of actions was raised by an action,
    // in one transaction with it. One that is missing was removed, or never written: by a program
    // of before, or by hand. The books are right all the same. Index admin_action_revision.
    static let changes = PostgresStatement(
        name: nil,
        sql: """
            SELECT 'warning', 'each change of the directory has the action that made it',
                'directory_revision', 'revision=' || n.revision, 'no action', 'one in admin_action'
            FROM directory_revision r
            CROSS JOIN LATERAL generate_series(r.recorded_from + 1, r.revision) AS n(revision)
            WHERE r.shard = $1 AND $2::date IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM admin_action a WHERE a.shard = $1 AND a.revision = n.revision)
            ORDER BY n.revision LIMIT $3
            """, isReadOnly: true)
}
