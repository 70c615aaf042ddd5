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
    /// Since when it is suspended, if it is.
    public var suspendedAt: Timestamp?
    /// Why, in the administrator's words. For administrators only.
    public var suspendReason: String?
}

/// The teams in the directory.
public struct TeamStore {
    let connection: PostgresConnection
    let recorder: ActionRecorder

    var random: LedgerRandom { recorder.random }

    /// Creates a team. Throws `exists` when the organization has one of that name, and `missing`
    /// when there is no such organization. With a claim, what was made under it before is
    /// `repeated`, and nothing is made.
    public func create(
        name: String, organization: Organization, claim: CreationClaim? = nil
    ) throws(LedgerError) -> Team {
        try DirectoryName.check(name, of: "a team")
        enum Outcome {
            case created(Team), exists, orphan, repeated(CreationClaim.Earlier)
        }
        let id = TeamID(rawValue: random.positive())
        let shard = organization.id.shard
        let outcome: Outcome = try DirectoryTransaction.change(
            shard, on: connection, by: recorder
        ) { connection, log throws(PostgresError) in
            if let earlier = try claim?.earlier(in: shard, connection) {
                return .repeated(earlier)
            }
            let row = try connection.execute(
                TeamStatements.insert(id, organization.id, name)
            ).rows.first
            if let row {
                let made = Team(
                    id: id, organization: organization, name: name,
                    createdAt: Timestamp(microseconds: try row.timestamp(0)))
                try claim?.note(id.rawValue, in: shard, connection)
                log.note(.teamCreate, of: nil, made)
                return .created(made)
            }
            let found = try connection.execute(TeamStatements.list(organization.id, name: name))
            return found.rows.isEmpty ? .orphan : .exists
        }
        switch outcome {
        case .created(let team): return team
        case .exists: throw .exists(what: "team", name: name)
        case .repeated(let earlier): throw LedgerError(earlier)
        case .orphan: throw .missing(what: "organization", name: organization.name)
        }
    }

    /// The teams of an organization, by name; of all organizations when it is nil.
    public func list(organization: Organization?) throws(LedgerError) -> [Team] {
        let organizations: [Organization] =
            if let organization {
                [organization]
            } else {
                try OrganizationStore(connection: connection, recorder: recorder).list()
            }
        var teams: [Team] = []
        for organization in organizations { teams += try read(organization, name: nil) }
        return teams
    }

    /// Some teams of an organization, in the order that the database gives to their names. Reads no
    /// more of the list than the page.
    public func page(
        organization: Organization, _ page: ListPage<String>
    ) throws(LedgerError) -> [Team] {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            try PageStatements.rows(TeamStatements.page(organization.id, page), connection).map {
                row throws(PostgresError) in try Self.team(row, organization)
            }
        }
    }

    /// The organization's team of that name, if there is one.
    public func find(name: String, organization: Organization) throws(LedgerError) -> Team? {
        try read(organization, name: name).first
    }

    /// Suspends a team until it is resumed: all its keys are refused. A new reason takes the place
    /// of the first; the time stays.
    public func suspend(_ team: Team, reason: String?) throws(LedgerError) {
        try change(team, .teamSuspend, TeamStatements.suspend, [try DirectoryReason.value(reason)])
    }

    /// Ends a suspension of the team itself.
    public func resume(_ team: Team) throws(LedgerError) {
        try change(team, .teamResume, TeamStatements.resume, [])
    }

    /// Gives a team another name. Throws `exists` when its organization has one of that name.
    public func rename(_ team: Team, to name: String) throws(LedgerError) {
        try DirectoryName.check(name, of: "a team")
        let isTaken = try DirectoryTransaction.change(
            team.organization.id.shard, on: connection, by: recorder
        ) { connection, log throws(PostgresError) -> Bool in
            let found = try connection.execute(
                TeamStatements.list(team.organization.id, name: name))
            guard try found.rows.first?.int8(0) ?? team.id.rawValue == team.id.rawValue else {
                return true
            }
            try Self.change(
                team, .teamRename, TeamStatements.rename, [.text(name)], connection, &log)
            return false
        }
        if isTaken { throw .exists(what: "team", name: name) }
    }

    /// Deletes a team for good, and with `contents` its keys with it; what they used stays in the
    /// books, and the name may be used again. Throws `refused` when it has keys and `contents` is
    /// false.
    public func delete(_ team: Team, contents: Bool) throws(LedgerError) {
        let keys = try DirectoryTransaction.change(
            team.organization.id.shard, on: connection, by: recorder
        ) { connection, log throws(PostgresError) -> Int64 in
            let found = try connection.execute(
                TeamStatements.command(TeamStatements.countKeys, team))
            let count = try found.rows.first?.int8(0) ?? 0
            if count > 0, !contents { return count }
            let before = try Self.find(team, connection)
            let deleted = try connection.execute(TeamStatements.keys(of: team)).rows
                .map(KeyRecord.init)
            for statement in TeamStatements.deletion {
                _ = try connection.execute(TeamStatements.command(statement, team))
            }
            if let before { log.deleted(before, keys: deleted) }
            return 0
        }
        guard keys == 0 else {
            throw .refused("the team has \(keys) key\(keys == 1 ? "" : "s")")
        }
    }

    private func change(
        _ team: Team, _ action: AdminAction, _ statement: PostgresStatement,
        _ more: [PostgresValue]
    ) throws(LedgerError) {
        try DirectoryTransaction.change(
            team.organization.id.shard, on: connection, by: recorder
        ) { connection, log throws(PostgresError) in
            try Self.change(team, action, statement, more, connection, &log)
        }
    }

    private static func change(
        _ team: Team, _ action: AdminAction, _ statement: PostgresStatement,
        _ more: [PostgresValue], _ connection: PostgresConnection, _ log: inout ActionLog
    ) throws(PostgresError) {
        let before = try find(team, connection)
        _ = try connection.execute(TeamStatements.command(statement, team, more))
        if let after = try find(team, connection) { log.note(action, of: before, after) }
    }

    /// The team as it is now; nil when it is gone.
    private static func find(
        _ team: Team, _ connection: PostgresConnection
    ) throws(PostgresError) -> Team? {
        try connection.execute(TeamStatements.command(TeamStatements.find, team)).rows.first.map {
            row throws(PostgresError) in try Self.team(row, team.organization)
        }
    }

    private static func team(
        _ row: PostgresRow, _ organization: Organization
    ) throws(PostgresError) -> Team {
        Team(
            id: TeamID(rawValue: try row.int8(0)), organization: organization,
            name: try row.text(1), createdAt: Timestamp(microseconds: try row.timestamp(2)),
            suspendedAt: try row.optionalTimestamp(3).map(Timestamp.init(microseconds:)),
            suspendReason: try row.optionalText(4))
    }

    private func read(_ organization: Organization, name: String?) throws(LedgerError) -> [Team] {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            let found = try connection.execute(TeamStatements.list(organization.id, name: name))
            return try found.rows.map { row throws(PostgresError) in
                try Self.team(row, organization)
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
            WHERE o.shard = $1 AND o.organization_id = $3 AND o.deleted_at IS NULL
            ON CONFLICT (shard, organization_id, name) WHERE deleted_at IS NULL DO NOTHING
            RETURNING created_at
            """)

    // The teams of one organization, or the one of a name. Unique index on the organization and the
    // name.
    private static let list = PostgresStatement(
        name: nil,
        sql: """
            SELECT team_id, name, created_at, suspended_at, suspend_reason FROM team
            WHERE shard = $1 AND organization_id = $2 AND ($3::text IS NULL OR name = $3)
                AND deleted_at IS NULL
            ORDER BY name COLLATE "C"
            """, isReadOnly: true)

    // Some teams of one organization, in the order that the database gives to text. Range of the
    // unique index team_name (shard, organization_id, name) of those not deleted.
    private static let page = PostgresStatement(
        name: nil,
        sql: """
            SELECT team_id, name, created_at, suspended_at, suspend_reason FROM team
            WHERE shard = $1 AND organization_id = $2 AND ($3::text IS NULL OR name > $3::text)
                AND deleted_at IS NULL
            ORDER BY name LIMIT $4::int8
            """, isReadOnly: true)

    // One team as it is. Primary key.
    static let find = PostgresStatement(
        name: nil,
        sql: """
            SELECT team_id, name, created_at, suspended_at, suspend_reason FROM team
            WHERE shard = $1 AND team_id = $2 AND deleted_at IS NULL
            """, isReadOnly: true)

    // Suspends, resumes and renames. After the revision's row; primary key; repeating it changes
    // nothing.
    static let suspend = PostgresStatement(
        name: nil,
        sql: """
            UPDATE team SET suspended_at = coalesce(suspended_at, now()),
                suspend_reason = coalesce($3, suspend_reason)
            WHERE shard = $1 AND team_id = $2 AND deleted_at IS NULL
            """)
    static let resume = PostgresStatement(
        name: nil,
        sql: """
            UPDATE team SET suspended_at = NULL, suspend_reason = NULL
            WHERE shard = $1 AND team_id = $2
            """)
    static let rename = PostgresStatement(
        name: nil,
        sql: """
            UPDATE team SET name = $3 WHERE shard = $1 AND team_id = $2 AND deleted_at IS NULL
            """)

    // The keys that are there, whatever their state. Index api_key (shard, team_id).
    static let countKeys = PostgresStatement(
        name: nil,
        sql: """
            SELECT count(*) FROM api_key WHERE shard = $1 AND team_id = $2 AND deleted_at IS NULL
            """, isReadOnly: true)

    // Deletes a team with its keys. One transaction, after the revision's row. Index api_key
    // (shard, team_id); primary key.
    static let deletion = [
        PostgresStatement(
            name: nil,
            sql: """
                UPDATE api_key SET revoked_at = coalesce(revoked_at, now()), deleted_at = now()
                WHERE shard = $1 AND team_id = $2 AND deleted_at IS NULL
                """),
        PostgresStatement(
            name: nil,
            sql: """
                UPDATE team SET deleted_at = now()
                WHERE shard = $1 AND team_id = $2 AND deleted_at IS NULL
                """),
    ]

    static func command(
        _ statement: PostgresStatement, _ team: Team, _ more: [PostgresValue] = []
    ) -> PostgresCommand {
        PostgresCommand(
            statement,
            [.int2(team.organization.id.shard.rawValue), .int8(team.id.rawValue)] + more)
    }

    /// What gives the keys of a team.
    static func keys(of team: Team) -> PostgresCommand {
        PostgresCommand(
            KeyStatements.list,
            [
                .int2(team.organization.id.shard.rawValue), .int8(team.organization.id.rawValue),
                .int8(team.id.rawValue),
            ])
    }

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

    static func page(
        _ organization: OrganizationID, _ page: ListPage<String>
    ) -> PostgresCommand {
        PostgresCommand(
            Self.page,
            [
                .int2(organization.shard.rawValue), .int8(organization.rawValue),
                page.after.map(PostgresValue.text) ?? .null, .int8(Int64(page.limit)),
            ])
    }
}
