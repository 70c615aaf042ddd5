public import Domain
import Postgres

/// The events of organizations and their deliveries, for administration.
public struct EventStore {
    private let connection: PostgresConnection
    private let recorder: ActionRecorder

    init(_ connection: PostgresConnection, recorder: ActionRecorder) {
        self.connection = connection
        self.recorder = recorder
    }

    /// Some of an organization's events, the newest first, with one row for each webhook that they
    /// go to; those in `state` alone where one is given. Behind the page's place are older ones.
    public func list(
        _ organization: OrganizationID, in state: EventStatus.State?, _ page: ListPage<EventID>
    ) throws(LedgerError) -> [EventStatus] {
        try read(EventReportStatements.list(organization, state, page))
    }

    /// One event of an organization with all of its deliveries; nothing for one of another.
    public func find(
        _ id: EventID, of organization: OrganizationID
    ) throws(LedgerError) -> [EventStatus] {
        try read(EventReportStatements.find(id, of: organization))
    }

    /// Has an event sent once more, or every one that was given up; to one webhook or to all that it
    /// went to. Returns how many deliveries that are. The organization's name is for the record of
    /// the action.
    public func redeliver(
        _ id: EventID?, to webhook: String?, of organization: OrganizationID, named name: String
    ) throws(LedgerError) -> Int {
        try DirectoryTransaction.change(organization.shard, on: connection, by: recorder) {
            connection, log throws(PostgresError) in
            let count = try connection.execute(
                EventReportStatements.redeliver(organization, id, to: webhook)
            ).rows.count
            guard count > 0 else { return 0 }
            log.note(
                .eventRedeliver, Self.subject(id?.description ?? "dead"),
                of: ActionOwner(organization, name, team: nil), before: nil,
                after: ActionState([
                    ("deliveries", .number(Int64(count))),
                    ("webhook", webhook.map(ActionState.Value.text)),
                ]))
            return count
        }
    }

    /// Puts down an event that says nothing but that it is a test; returns its id. The
    /// organization's name is for the record of the action.
    public func test(
        _ webhooks: [String], of organization: OrganizationID, named name: String,
        at now: Timestamp
    ) throws(LedgerError) -> EventID {
        let id = EventID(at: now, random: (recorder.random.bits(), recorder.random.bits()))
        return try DirectoryTransaction.change(
            organization.shard, on: connection, by: recorder
        ) { connection, log throws(PostgresError) in
            _ = try connection.execute(
                EventReportStatements.test(id, organization, to: webhooks))
            log.note(
                .eventTest, Self.subject(id.description),
                of: ActionOwner(organization, name, team: nil), before: nil,
                after: ActionState([("webhooks", .names(webhooks))]))
            return id
        }
    }

    private static func subject(_ name: String) -> ActionSubject {
        ActionSubject(kind: .event, id: nil, name: name)
    }

    private func read(_ command: PostgresCommand) throws(LedgerError) -> [EventStatus] {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            try PageStatements.rows(command, connection).map { row throws(PostgresError) in
                try EventReportStatements.decode(row)
            }
        }
    }
}
