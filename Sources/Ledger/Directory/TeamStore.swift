public import Domain
import Postgres

/// A group of keys in an organization.
public struct Team: Sendable, Hashable {
    /// Its id.
    public let id: TeamID
    /// The tenant it belongs to.
    public let organization: Organization
    /// Its name, unique in the organization.
    public let name: String
    /// When it was created.
    public let createdAt: Timestamp
}

/// The teams in the directory.
public struct TeamStore {
    let connection: PostgresConnection
    let random: LedgerRandom

    /// Creates a team. Throws `exists` when the organization has one of that name, and `missing`
    /// when there is no such organization.
    public func create(name: String, organization: Organization) throws(LedgerError) -> Team {
        try DirectoryName.check(name, of: "a team")
        enum Outcome {
            case created(Timestamp), exists, orphan
        }
        let id = TeamID(rawValue: random.positive())
        let outcome: Outcome = try DirectoryTransaction.change(
            organization.id.shard, on: connection
        ) { connection throws(PostgresError) in
            let row = try connection.execute(
                TeamStatements.insert(id, organization.id, name)
            ).rows.first
            if let row { return .created(Timestamp(microseconds: try row.timestamp(0))) }
            let found = try connection.execute(TeamStatements.list(organization.id, name: name))
            return found.rows.isEmpty ? .orphan : .exists
        }
        switch outcome {
        case .created(let time):
            return Team(id: id, organization: organization, name: name, createdAt: time)
        case .exists: throw .exists(what: "team", name: name)
        case .orphan: throw .missing(what: "organization", name: organization.name)
        }
    }

    /// The teams of an organization, by name; of all organizations when it is nil.
    public func list(organization: Organization?) throws(LedgerError) -> [Team] {
        let organizations: [Organization] =
            if let organization {
                [organization]
            } else {
                try OrganizationStore(connection: connection).list()
            }
        var teams: [Team] = []
        for organization in organizations { teams += try read(organization, name: nil) }
        return teams
    }

    /// The organization's team of that name, if there is one.
    public func find(name: String, organization: Organization) throws(LedgerError) -> Team? {
        try read(organization, name: name).first
    }

    private func read(_ organization: Organization, name: String?) throws(LedgerError) -> [Team] {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            let found = try connection.execute(TeamStatements.list(organization.id, name: name))
            return try found.rows.map { row throws(PostgresError) in
                Team(
                    id: TeamID(rawValue: try row.int8(0)), organization: organization,
                    name: try row.text(1),
                    createdAt: Timestamp(microseconds: try row.timestamp(2)))
            }
        }
    }
}

/// The statements about teams.
private enum TeamStatements {
    // Creates a team of an organization that exists. No row: the name is taken, or there is no such
    // organization. After the revision's row. Unique index on the organization and the name.
    private static let insert = PostgresStatement(
        name: nil,
        sql: """
            INSERT INTO team (shard, team_id, organization_id, name)
            SELECT o.shard, $2, o.organization_id, $4 FROM organization o
            WHERE o.shard = $1 AND o.organization_id = $3
            ON CONFLICT (shard, organization_id, name) DO NOTHING
            RETURNING created_at
            """)

    // The teams of one organization, or the one of a name. Unique index on the organization and the
    // name.
    private static let list = PostgresStatement(
        name: nil,
        sql: """
            SELECT team_id, name, created_at FROM team
            WHERE shard = $1 AND organization_id = $2 AND ($3::text IS NULL OR name = $3)
            ORDER BY name COLLATE "C"
            """, isReadOnly: true)

    static func insert(
        _ id: TeamID, _ organization: OrganizationID, _ name: String
    ) -> PostgresCommand {
        PostgresCommand(
            insert,
            [
                .int2(organization.shard.rawValue), .int8(id.rawValue),
                .int8(organization.rawValue), .text(name),
            ])
    }

    static func list(_ organization: OrganizationID, name: String?) -> PostgresCommand {
        PostgresCommand(
            list,
            [
                .int2(organization.shard.rawValue), .int8(organization.rawValue),
                name.map(PostgresValue.text) ?? .null,
            ])
    }
}
