public import Domain
import Postgres

/// The events of organizations and their deliveries, for administration.
public struct EventStore {
    private let connection: PostgresConnection
    private let random: LedgerRandom

    init(_ connection: PostgresConnection, random: LedgerRandom) {
        self.connection = connection
        self.random = random
    }

    /// An organization's newest events, one row for each webhook that they go to; those in `state`
    /// alone where one is given.
    public func list(
        _ organization: OrganizationID, in state: EventStatus.State?, most: Int64
    ) throws(LedgerError) -> [EventStatus] {
        try read(EventReportStatements.list(organization, state, nil, most: most))
    }

    /// One event of an organization with all of its deliveries; nothing for one of another.
    public func find(
        _ id: EventID, of organization: OrganizationID
    ) throws(LedgerError) -> [EventStatus] {
        try read(EventReportStatements.list(organization, nil, id, most: Int64.max))
    }

    /// Has an event sent once more, or every one that was given up; to one webhook or to all that it
    /// went to. Returns how many deliveries that are.
    public func redeliver(
        _ id: EventID?, to webhook: String?, of organization: OrganizationID
    ) throws(LedgerError) -> Int {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            try connection.execute(
                EventReportStatements.redeliver(organization, id, to: webhook)
            ).rows.count
        }
    }

    /// Puts down an event that says nothing but that it is a test; returns its id.
    public func test(
        _ webhooks: [String], of organization: OrganizationID, at now: Timestamp
    ) throws(LedgerError) -> EventID {
        let id = EventID(at: now, random: (random.bits(), random.bits()))
        return try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            _ = try connection.execute(
                EventReportStatements.test(id, organization, to: webhooks))
            return id
        }
    }

    private func read(_ command: PostgresCommand) throws(LedgerError) -> [EventStatus] {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            try connection.execute(command).rows.map { row throws(PostgresError) in
                try EventReportStatements.decode(row)
            }
        }
    }
}
