public import Domain
import Postgres

/// Which actions are asked for.
public struct ActionQuery: Sendable, Hashable {
    /// Those of one organization; nil for all, and those of no organization.
    public var organization: OrganizationID?
    /// Those of the organization's team of that name, or of one that had it when it was deleted, and
    /// of its keys.
    public var team: String?
    /// Those of one key, with all its secrets, deleted or not.
    public var key: KeyID?
    /// From this instant on.
    public var since: Timestamp?
    /// Those of authors whose name has this in it.
    public var author: String?
    /// Those of one kind.
    public var action: AdminAction?
    /// Only what is older than this one.
    public var before: ActionRecord?
    /// At most so many.
    public var limit: Int

    /// Asks for the newest `limit` of all.
    public init(organization: OrganizationID?, limit: Int) {
        self.organization = organization
        self.limit = limit
    }
}

/// What administrators did.
public struct ActionStore {
    private let connection: PostgresConnection

    init(_ connection: PostgresConnection) { self.connection = connection }

    /// The actions that are asked for, the newest first. Each shard is asked by itself.
    public func list(_ query: ActionQuery) throws(LedgerError) -> [ActionRecord] {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            let commands = try shards(query, connection).map { Self.command(query, $0) }
            var found: [ActionRecord] = []
            for result in try connection.pipeline(commands) {
                found += try result.rows.map(ActionStatements.read)
            }
            found.sort { ($1.at, $1.id.databaseValue) < ($0.at, $0.id.databaseValue) }
            return Array(found.prefix(query.limit))
        }
    }

    /// The action of that id, if there is one: of `organization`, or of anybody when that is nil.
    public func find(
        _ id: ActionID, organization: OrganizationID?
    ) throws(LedgerError) -> ActionRecord? {
        let parameters: [PostgresValue] = [
            .int2(id.shard.rawValue), .int8(id.databaseValue),
            organization.map { .int8($0.rawValue) } ?? .null,
        ]
        return try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            try connection.execute(PostgresCommand(ActionStatements.find, parameters)).rows.first
                .map(ActionStatements.read)
        }
    }

    private func shards(
        _ query: ActionQuery, _ connection: PostgresConnection
    ) throws(PostgresError) -> [Int16] {
        if let organization = query.organization { return [organization.shard.rawValue] }
        let common = ActionRecorder.common.rawValue
        let known = try connection.execute(LaneStatements.shards).rows.map {
            row throws(PostgresError) in try row.int2(0)
        }
        return known.contains(common) ? known : [common] + known
    }

    private static func command(_ query: ActionQuery, _ shard: Int16) -> PostgresCommand {
        func text(_ text: String?) -> PostgresValue { text.map(PostgresValue.text) ?? .null }
        func instant(_ instant: Timestamp?) -> PostgresValue {
            instant.map { .timestamp($0.microseconds) } ?? .null
        }
        return PostgresCommand(
            ActionStatements.list,
            [
                .int2(shard), query.organization.map { .int8($0.rawValue) } ?? .null,
                text(query.team), query.key.map { .int8($0.databaseValue) } ?? .null,
                instant(query.since), text(query.author), text(query.action?.rawValue),
                instant(query.before?.at),
                query.before.map { .int8($0.id.databaseValue) } ?? .null,
                .int8(Int64(query.limit)),
            ])
    }
}

extension DirectoryStore {
    /// The record of actions, over the same connection.
    public var actions: ActionStore { ActionStore(connection) }
}
