import Domain
import Postgres

/// The statements about organizations.
enum OrganizationStatements {
    /// The shard that holds all names.
    private static let names = PostgresValue.int2(0)

    // Reserves a name over all shards; the primary key lets one of two that try win. Alone in its
    // transaction, because the organization itself lives in another shard. Repeating it changes
    // nothing.
    private static let reserve = PostgresStatement(
        name: nil,
        sql: """
            INSERT INTO organization_name (shard, name, organization_id) VALUES ($1, $2, $3)
            ON CONFLICT (shard, name) DO NOTHING
            """)

    // Gives a name that its organization does not have to another; of two that try, one finds the
    // row changed. Primary key.
    private static let takeOver = PostgresStatement(
        name: nil,
        sql: """
            UPDATE organization_name SET organization_id = $4
            WHERE shard = $1 AND name = $2 AND organization_id = $3
            """)

    // Frees a name that is still this organization's. Primary key.
    private static let free = PostgresStatement(
        name: nil,
        sql: """
            DELETE FROM organization_name
            WHERE shard = $1 AND name = $2 AND organization_id = $3
            """)

    // The id behind a name. Primary key.
    private static let find = PostgresStatement(
        name: nil,
        sql: "SELECT organization_id FROM organization_name WHERE shard = $1 AND name = $2",
        isReadOnly: true)

    // All names, from the one shard that holds them. Primary key, in order of name.
    private static let listNames = PostgresStatement(
        name: nil,
        sql: """
            SELECT organization_id, name FROM organization_name WHERE shard = $1
            ORDER BY name COLLATE "C"
            """, isReadOnly: true)

    // Some names, in the order that the database gives to text. Range of the primary key (shard,
    // name), from the last one's on.
    private static let pageOfNames = PostgresStatement(
        name: nil,
        sql: """
            SELECT organization_id, name FROM organization_name
            WHERE shard = $1 AND ($2::text IS NULL OR name > $2::text)
            ORDER BY name LIMIT $3::int8
            """, isReadOnly: true)

    // Creates the organization in its own shard. Gives no row when it is there: then it exists.
    // After the revision's row. Primary key.
    private static let insert = PostgresStatement(
        name: nil,
        sql: """
            INSERT INTO organization (shard, organization_id, name) VALUES ($1, $2, $3)
            ON CONFLICT (shard, organization_id) DO NOTHING
            RETURNING created_at
            """)

    // An organization as its own shard has it: proof that it was created and not only its name.
    // Primary key.
    private static let read = PostgresStatement(
        name: nil,
        sql: """
            SELECT name, created_at, suspended_at, suspend_reason FROM organization
            WHERE shard = $1 AND organization_id = $2 AND deleted_at IS NULL
            """, isReadOnly: true)

    // What an organization is called, deleted or not. Primary key.
    private static let state = PostgresStatement(
        name: nil,
        sql: """
            SELECT name, deleted_at IS NOT NULL FROM organization
            WHERE shard = $1 AND organization_id = $2
            """, isReadOnly: true)

    // Suspends, resumes and renames. After the revision's row; primary key; repeating it changes
    // nothing.
    static let suspend = PostgresStatement(
        name: nil,
        sql: """
            UPDATE organization SET suspended_at = coalesce(suspended_at, now()),
                suspend_reason = coalesce($3, suspend_reason)
            WHERE shard = $1 AND organization_id = $2 AND deleted_at IS NULL
            """)
    static let resume = PostgresStatement(
        name: nil,
        sql: """
            UPDATE organization SET suspended_at = NULL, suspend_reason = NULL
            WHERE shard = $1 AND organization_id = $2
            """)
    static let rename = PostgresStatement(
        name: nil,
        sql: """
            UPDATE organization SET name = $3
            WHERE shard = $1 AND organization_id = $2 AND deleted_at IS NULL
            """)

    // The teams that are there. Unique index team_name.
    static let countTeams = PostgresStatement(
        name: nil,
        sql: """
            SELECT count(*) FROM team
            WHERE shard = $1 AND organization_id = $2 AND deleted_at IS NULL
            """, isReadOnly: true)

    // Deletes an organization with its teams and their keys. One transaction, after the revision's
    // row. By the teams: unique index team_name, index api_key (shard, team_id).
    static let deletion = [
        PostgresStatement(
            name: nil,
            sql: """
                UPDATE api_key SET revoked_at = coalesce(revoked_at, now()), deleted_at = now()
                WHERE shard = $1 AND deleted_at IS NULL AND organization_id = $2
                    AND team_id IN (SELECT t.team_id FROM team t
                        WHERE t.shard = $1 AND t.organization_id = $2 AND t.deleted_at IS NULL)
                """),
        PostgresStatement(
            name: nil,
            sql: """
                UPDATE team SET deleted_at = now()
                WHERE shard = $1 AND organization_id = $2 AND deleted_at IS NULL
                """),
        PostgresStatement(
            name: nil,
            sql: """
                UPDATE organization SET deleted_at = now()
                WHERE shard = $1 AND organization_id = $2 AND deleted_at IS NULL
                """),
    ]

    static func reserve(_ name: String, _ id: OrganizationID) -> PostgresCommand {
        PostgresCommand(reserve, [names, .text(name), .int8(id.rawValue)])
    }

    static func takeOver(
        _ name: String, from old: OrganizationID, to new: OrganizationID
    ) -> PostgresCommand {
        PostgresCommand(
            takeOver, [names, .text(name), .int8(old.rawValue), .int8(new.rawValue)])
    }

    static func free(_ name: String, _ id: OrganizationID) -> PostgresCommand {
        PostgresCommand(free, [names, .text(name), .int8(id.rawValue)])
    }

    static func find(_ name: String) -> PostgresCommand {
        PostgresCommand(find, [names, .text(name)])
    }

    static var list: PostgresCommand { PostgresCommand(listNames, [names]) }

    static func names(_ page: ListPage<String>) -> PostgresCommand {
        PostgresCommand(
            pageOfNames,
            [names, page.after.map(PostgresValue.text) ?? .null, .int8(Int64(page.limit))])
    }

    static func insert(_ name: String, _ id: OrganizationID) -> PostgresCommand {
        PostgresCommand(insert, [.int2(id.shard.rawValue), .int8(id.rawValue), .text(name)])
    }

    static func read(_ id: OrganizationID) -> PostgresCommand {
        PostgresCommand(read, [.int2(id.shard.rawValue), .int8(id.rawValue)])
    }

    static func state(_ id: OrganizationID) -> PostgresCommand {
        PostgresCommand(state, [.int2(id.shard.rawValue), .int8(id.rawValue)])
    }
}
