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

    // Some keys, or some of one organization's, in the order of their ids; $3 leaves those that may
    // be used. Range of the primary key (shard, admin_key_id), from the last one's on.
    private static let page = PostgresStatement(
        name: nil,
        sql: """
            SELECT \(AdminKeyRecord.columns) FROM admin_key k
            WHERE k.shard = $1 AND ($2::int8 IS NULL OR k.organization_id = $2::int8)
                AND (NOT $3::bool OR k.revoked_at IS NULL
                    AND (k.expires_at IS NULL OR k.expires_at > now()))
                AND ($4::int8 IS NULL OR k.admin_key_id > $4::int8)
            ORDER BY k.admin_key_id LIMIT $5::int8
            """, isReadOnly: true)

    static func page(
        _ organization: OrganizationID?, isUsable: Bool, _ page: ListPage<KeyID>
    ) -> PostgresCommand {
        PostgresCommand(
            Self.page,
            [
                .int2(shard.rawValue), organization.map { .int8($0.rawValue) } ?? .null,
                .bool(isUsable), page.after.map { .int8($0.databaseValue) } ?? .null,
                .int8(Int64(page.limit)),
            ])
    }

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
