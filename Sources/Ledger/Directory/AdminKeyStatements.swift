import Domain
import Postgres

/// The statements about the keys of the admin HTTP API, all in shard 0.
enum AdminKeyStatements {
    /// Where they are: they belong to no organization.
    static let shard = Shard(rawValue: 0)

    // Stores a key. Primary key.
    static let insert = PostgresStatement(
        name: nil,
        sql: """
            INSERT INTO admin_key (shard, admin_key_id, name, role, organization_id, mac, pepper_id,
                last4, expires_at)
            VALUES ($1, $2, $3, $4, $5::int8, $6, $7, $8, $9::timestamptz)
            """)

    // One key. Primary key.
    static let find = PostgresStatement(
        name: nil,
        sql: """
            SELECT \(AdminKeyRecord.columns) FROM admin_key k
            WHERE k.shard = $1 AND k.admin_key_id = $2
            """, isReadOnly: true)

    // Every key, or those of one organization, the oldest first. An installation has few: reads the
    // primary key from its beginning.
    static let list = PostgresStatement(
        name: nil,
        sql: """
            SELECT \(AdminKeyRecord.columns) FROM admin_key k
            WHERE k.shard = $1 AND ($2::int8 IS NULL OR k.organization_id = $2)
            ORDER BY k.created_at, k.admin_key_id
            """, isReadOnly: true)

    // Revokes once: the first time stays. Primary key.
    static let revoke = PostgresStatement(
        name: nil,
        sql: """
            UPDATE admin_key SET revoked_at = now()
            WHERE shard = $1 AND admin_key_id = $2 AND revoked_at IS NULL
            """)

    // Notes a use, at most once a minute: whoever comes second finds it noted. Primary key.
    static let use = PostgresStatement(
        name: nil,
        sql: """
            UPDATE admin_key SET last_used_at = now()
            WHERE shard = $1 AND admin_key_id = $2
                AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
            """)

    /// A statement about the key of an id.
    static func command(_ statement: PostgresStatement, _ id: KeyID) -> PostgresCommand {
        PostgresCommand(statement, [.int2(shard.rawValue), .int8(id.databaseValue)])
    }
}
