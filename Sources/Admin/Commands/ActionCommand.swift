import ArgumentParser
import Domain
import Ledger

/// `admin action`.
struct ActionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "action", abstract: "Who administered what: the record of every change.",
        discussion: """
            Each change that a command, the admin HTTP API or a gateway's configuration makes is written down in the same \
            transaction: who, what, before and after. Nothing is ever changed or removed there, and nothing of a key's \
            secret stands in it. A change that took several steps has two entries, its beginning and its end.
            """, subcommands: [List.self, Show.self])

    /// `admin action list`.
    struct List: AdminSubcommand {
        static let configuration = CommandConfiguration(
            abstract: "List actions, the newest first.",
            discussion: """
                Of all organizations unless one is named; --team and --key are of the default one then. What was deleted is \
                found still. Prices, dropped records and nodes are of no organization.

                Example:
                  turnpike admin action list --since 7d
                  turnpike admin action list --organization acme --action key.revoke
                  turnpike admin action list --key 3kTMd92Zx0q --author ann@
                """)

        @Option(
            help: ArgumentHelp("Only since then: 7d, 24h or a date.", valueName: "when"),
            transform: TimeArgument.read)
        var since: TimeArgument?
        @Option(
            help: ArgumentHelp("Only of this organization.", valueName: "name"),
            completion: .organizations)
        var organization: String?
        @Option(help: ArgumentHelp("Only of this team and its keys.", valueName: "name"))
        var team: String?
        @Option(
            help: ArgumentHelp("Only of this key, with all its secrets.", valueName: "key-id"),
            transform: KeyArgument.init)
        var key: KeyArgument?
        @Option(help: ArgumentHelp("Only by authors with this in their name.", valueName: "text"))
        var author: String?
        @Option(
            help: ArgumentHelp("Only of this kind, such as key.revoke.", valueName: "action"),
            completion: .list(AdminAction.allCases.map(\.rawValue)),
            transform: ActionText.kind)
        var action: AdminAction?
        @Option(
            help: ArgumentHelp("Only older than this one.", valueName: "action-id"),
            transform: ActionText.id)
        var before: ActionID?
        @Option(help: ArgumentHelp("At most so many, up to 1000.", valueName: "n"))
        var limit = 50
        @OptionGroup var options: AdminOptions

        func validate() throws {
            _ = try key?.check()
            guard (1...1000).contains(limit) else {
                throw ValidationError("--limit is 1 to 1000.")
            }
        }

        func execute(_ desk: AdminDesk) throws {
            // A team's name and a key's id are of one organization, as everywhere.
            let isOfOne = organization != nil || team != nil || key != nil
            let owner = isOfOne ? try desk.organization(organization ?? "default") : nil
            var query = ActionQuery(organization: owner?.id, limit: limit)
            query.team = team
            query.key = try key?.check()
            query.author = author
            query.action = action
            if let since {
                query.since = since.beforeExactly(try desk.ledger.time())
            }
            if let before { query.before = try desk.action(before, in: owner) }
            let found = try desk.ledger.actions(query)
            try desk.answer(found.map(ActionView.record), names: ActionView.names) {
                guard let last = found.last else { return ["No actions that match."] }
                let more = found.count < limit ? [] : ["Older ones: add --before \(last.id)"]
                return ActionView.table(found, desk) + more
            }
        }
    }

    /// `admin action show ID`.
    struct Show: AdminSubcommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what one action found and what it left.",
            discussion: """
                Example:
                  turnpike admin action show 7Kd0Qm2xVbA
                """)

        @Argument(
            help: ArgumentHelp("The action, as `action list` shows it.", valueName: "action-id"),
            transform: ActionText.id)
        var action: ActionID
        @Option(
            help: ArgumentHelp("Only if it is of this organization.", valueName: "name"),
            completion: .organizations)
        var organization: String?
        @OptionGroup var options: AdminOptions

        func execute(_ desk: AdminDesk) throws {
            let owner = try organization.map { try desk.organization($0) }
            let found = try desk.action(action, in: owner)
            try desk.answer(ActionView.record(found)) { ActionView.details(found, desk) }
        }
    }
}

extension AdminDesk {
    /// The action of that id: the organization's, or anybody's when that is nil.
    fileprivate func action(
        _ id: ActionID, in organization: OrganizationEntry?
    ) throws(AdminFailure) -> ActionRecord {
        if let found = try ledger.findAction(id, in: organization) { return found }
        let flag = organization.map { " --organization \($0.name)" } ?? ""
        let advice = "See `turnpike admin action list\(flag)`."
        guard let organization else {
            throw .notFound("action", id.description, advice: advice)
        }
        throw .notFound("action", id.description, in: organization, advice: advice)
    }
}

/// Actions as they are typed.
enum ActionText {
    /// What is wrong with a value and what would be right.
    struct Fault: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    /// The id of an action.
    @Sendable static func id(_ text: String) throws -> ActionID {
        guard let id = ActionID(text) else {
            throw Fault(description: "an action's id has 11 letters and digits")
        }
        return id
    }

    /// A kind of action.
    @Sendable static func kind(_ text: String) throws -> AdminAction {
        guard let action = AdminAction(rawValue: text) else {
            let known = AdminAction.allCases.map(\.rawValue).joined(separator: ", ")
            throw Fault(description: "there are \(known)")
        }
        return action
    }
}
