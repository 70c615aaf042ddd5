import ArgumentParser
import Domain
import Ledger

/// `admin event`.
struct EventCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "event", abstract: "Quotas that reached thresholds, and who was told.",
        subcommands: [List.self, Show.self, Redeliver.self, Test.self])

    /// `admin event list`.
    struct List: AdminSubcommand {
        static let configuration = CommandConfiguration(
            abstract: "List an organization's events, the newest first.",
            discussion: """
                An event stands there once for each webhook that it goes to, which has it (delivered), is to get it \
                (pending), or did not take it however often it was tried (dead).

                Example:
                  turnpike admin event list --state dead
                """)

        @Option(help: "Only those that are pending, delivered or dead.")
        var state: StateOption?
        @Option(
            help: ArgumentHelp("Only older than this one.", valueName: "event-id"),
            transform: { try EventText.parse($0) })
        var before: EventID?
        @Option(help: ArgumentHelp("The most events, 1 to 10000.", valueName: "number"))
        var limit = 50
        @OptionGroup var tenant: OrganizationOption
        @OptionGroup var options: AdminOptions

        func validate() throws {
            guard (1...10_000).contains(limit) else {
                throw ValidationError("--limit is a number from 1 to 10000.")
            }
        }

        func execute(_ desk: AdminDesk) throws {
            let organization = try desk.organization(tenant.organization)
            let events = try desk.ledger.events(
                in: organization, state: state?.value, ListPage(after: before, limit: limit))
            try desk.answer(events.map(EventView.record), names: EventView.names) {
                guard let last = events.last?.event.id else {
                    return ["No \(state.map { "\($0.rawValue) " } ?? "")events."]
                }
                let count = Set(events.map(\.event.id)).count
                let more = count < limit ? [] : ["Older ones: add --before \(last)"]
                return EventView.table(events, desk) + more
            }
        }
    }

    /// `admin event show ID`.
    struct Show: AdminSubcommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one event, and what became of it.",
            discussion: """
                Example:
                  turnpike admin event show evt_00AlqZbMgwK9rWkUZt3xBc
                """)

        @Argument(help: "The event's id.", transform: { try EventText.parse($0) })
        var event: EventID
        @OptionGroup var tenant: OrganizationOption
        @OptionGroup var options: AdminOptions

        func execute(_ desk: AdminDesk) throws {
            let organization = try desk.organization(tenant.organization)
            let found = try EventText.find(event, organization, desk)
            try desk.answer(found.map(EventView.record), names: EventView.names) {
                EventView.details(found, desk)
            }
        }
    }

    /// `admin event redeliver ID|--dead`.
    struct Redeliver: AdminSubcommand {
        static let configuration = CommandConfiguration(
            abstract: "Send an event once more, or all that are dead.",
            discussion: """
                It goes out under the same id, so that a receiver that has it can tell, and is tried as often as a new \
                one.

                Example:
                  turnpike admin event redeliver --dead --webhook alerts
                """)

        @Argument(help: "The event's id.", transform: { try EventText.parse($0) })
        var event: EventID?
        @Flag(help: "Every event that is dead.")
        var dead = false
        @Option(help: ArgumentHelp("Only to this webhook.", valueName: "name"))
        var webhook: String?
        @OptionGroup var tenant: OrganizationOption
        @OptionGroup var options: AdminOptions

        func validate() throws {
            guard (event == nil) == dead else {
                throw ValidationError("Which? Give an event's id, or --dead for all that are dead.")
            }
        }

        func execute(_ desk: AdminDesk) throws {
            let organization = try desk.organization(tenant.organization)
            if let event { _ = try EventText.find(event, organization, desk) }
            let count = try desk.ledger.redeliver(event, to: webhook, in: organization)
            if event != nil, count == 0 {
                throw AdminFailure.refused(
                    "The event goes to no such webhook.",
                    advice: "Nothing was changed. See `turnpike admin event show`.")
            }
            try desk.answer(Record([("deliveries", .integer(Int64(count)))])) {
                [
                    count == 0
                        ? "Nothing is dead."
                        : "\(EventView.deliveries(count)) will be made by the gateways in a second or two."
                ]
            }
        }
    }

    /// `admin event test`.
    struct Test: AdminSubcommand {
        static let configuration = CommandConfiguration(
            abstract: "Send a test event to the webhooks.",
            discussion: """
                Puts down an event of the type webhook.test, which a gateway sends as it would any other: signed, and \
                again until it is taken.

                Example:
                  turnpike admin event test --webhook alerts
                """)

        @Option(help: ArgumentHelp("Only to this webhook.", valueName: "name"))
        var webhook: String?
        @OptionGroup var tenant: OrganizationOption
        @OptionGroup var options: AdminOptions

        func execute(_ desk: AdminDesk) throws {
            let organization = try desk.organization(tenant.organization)
            let known = desk.ledger.webhooks().map(\.name)
            guard !known.isEmpty else {
                throw AdminFailure.refused(
                    "The configuration has no webhooks.",
                    advice: "Nothing was sent. Add `webhooks` to the file and restart the gateways."
                )
            }
            if let webhook, !known.contains(webhook) {
                throw AdminFailure.notFound(
                    "webhook", webhook, advice: "There are: \(known.joined(separator: ", ")).")
            }
            let names = webhook.map { [$0] } ?? known
            let id = try desk.ledger.testWebhooks(names, in: organization)
            let found = try EventText.find(id, organization, desk)
            try desk.answer(found.map(EventView.record), names: EventView.names) {
                [
                    "\(id) is on its way to \(names.joined(separator: ", ")).",
                    "Next: turnpike admin event show \(id)\(desk.flag(organization))",
                ]
            }
        }
    }

    /// A state on the command line.
    enum StateOption: String, CaseIterable, ExpressibleByArgument {
        case pending, delivered, dead

        /// The ledger's.
        var value: EventStatus.State {
            switch self {
            case .pending: .pending
            case .delivered: .delivered
            case .dead: .dead
            }
        }
    }
}

/// Reads an event's id, and finds what it names.
enum EventText {
    /// What is wrong with the id.
    struct Fault: Error, CustomStringConvertible {
        let description = "give an event's id, as `turnpike admin event list` shows it"
    }

    /// An event's id.
    static func parse(_ text: String) throws(Fault) -> EventID {
        guard let id = EventID(text) else { throw Fault() }
        return id
    }

    /// The organization's event of that id with its deliveries.
    static func find(
        _ id: EventID, _ organization: OrganizationEntry, _ desk: AdminDesk
    ) throws(AdminFailure) -> [EventStatus] {
        let found = try desk.ledger.event(id, in: organization)
        if found.isEmpty {
            throw .notFound(
                "event", id.description, in: organization,
                advice: "See `turnpike admin event list\(desk.flag(organization))`.")
        }
        return found
    }
}
