import Domain
import Postgres

/// The statements about what administrators did. Rows are only ever added.
enum ActionStatements {
    // Writes one action in the transaction of what it changed. Primary key, of random bits.
    static let insert = PostgresStatement(
        name: nil,
        sql: """
            INSERT INTO admin_action (shard, action_id, revision, author_way, author_name, action,
                organization_id, organization_name, team_id, subject_kind, subject_id, subject_name,
                before, after)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13::text::json,
                $14::text::json)
            """)

    private static let columns = """
        a.action_id, a.at, a.author_way, a.author_name, a.action, a.subject_kind, a.subject_id,
        a.subject_name, a.organization_name, a.before::text, a.after::text
        """

    // The newest actions of a shard that a question asks for. A team is named as it is called now,
    // and counts when it is deleted; a key with all its secrets. Index admin_action (shard, at)
    // from its end.
    static let list = PostgresStatement(
        name: nil,
        sql: """
            SELECT \(columns) FROM admin_action a
            WHERE a.shard = $1 AND ($2::int8 IS NULL OR a.organization_id = $2)
                AND ($3::text IS NULL OR a.team_id IN (SELECT t.team_id FROM team t
                    WHERE t.shard = $1 AND t.organization_id = $2 AND t.name = $3))
                AND ($4::int8 IS NULL OR a.subject_kind = 'key' AND a.subject_id IN (
                    SELECT s.key_id FROM api_key k
                    JOIN api_key s ON s.shard = $1 AND s.subject_id = k.subject_id
                    WHERE k.shard = $1 AND k.key_id = $4))
                AND ($5::timestamptz IS NULL OR a.at >= $5)
                AND ($6::text IS NULL OR position($6 IN a.author_name) > 0)
                AND ($7::text IS NULL OR a.action = $7)
                AND ($8::timestamptz IS NULL OR (a.at, a.action_id) < ($8, $9::int8))
            ORDER BY a.at DESC, a.action_id DESC LIMIT $10
            """, isReadOnly: true)

    // One action, of the organization $3 where it is given. Primary key.
    static let find = PostgresStatement(
        name: nil,
        sql: """
            SELECT \(columns) FROM admin_action a
            WHERE a.shard = $1 AND a.action_id = $2
                AND ($3::int8 IS NULL OR a.organization_id = $3)
            """, isReadOnly: true)

    static func read(_ row: PostgresRow) throws(PostgresError) -> ActionRecord {
        func state(_ column: Int) throws(PostgresError) -> ActionState? {
            guard let text = try row.optionalText(column) else { return nil }
            return try ActionStateReader.read(text)
        }
        guard let way = ActionAuthor.Way(rawValue: try row.text(2)),
            let kind = ActionSubject.Kind(rawValue: try row.text(5))
        else { throw PostgresError(kind: .decoding(reason: "an action has an unknown kind")) }
        return ActionRecord(
            id: ActionID(rawValue: UInt64(bitPattern: try row.int8(0))),
            at: Timestamp(microseconds: try row.timestamp(1)),
            author: ActionAuthor(way: way, name: try row.text(3)), action: try row.text(4),
            subject: ActionSubject(
                kind: kind, id: try row.optionalInt8(6), name: try row.text(7)),
            organization: try row.optionalText(8), before: try state(9), after: try state(10))
    }
}
