import ArgumentParser
import Domain
import Ledger

/// `admin usage`.
struct UsageCommand: AdminSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "usage", abstract: "Review what was used, from the ledger's own books.",
        discussion: """
            Times are in UTC. Spans of days begin at midnight; the books are kept by the hour, so a time within an hour \
            counts the whole hour. --until leaves its own instant out.

            Example:
              turnpike admin usage --by team --since 30d
              turnpike admin usage --team research --since 2026-11-01 --until 2026-12-01 --format csv
            """)

    private static let groupings = "day, hour, model, team or key"

    @Option(help: ArgumentHelp("Only this team's keys.", valueName: "name"))
    var team: String?
    @Option(
        help: ArgumentHelp("Only this key.", valueName: "key-id"), transform: KeyArgument.init)
    var key: KeyArgument?
    @Option(
        help: ArgumentHelp("The beginning: 7d, 24h or a date.", valueName: "when"),
        transform: TimeArgument.read)
    var since: TimeArgument = .span(7, .day)
    @Option(
        help: ArgumentHelp("The end, likewise. Default: now.", valueName: "when"),
        transform: TimeArgument.read)
    var until: TimeArgument?
    @Option(
        help: ArgumentHelp("What a row stands for: \(groupings).", valueName: "grouping"),
        transform: { text in
            guard let grouping = UsageQuery.Grouping(rawValue: text) else {
                throw ValidationError("give \(groupings)")
            }
            return grouping
        })
    var by: UsageQuery.Grouping = .day
    @OptionGroup var tenant: OrganizationOption
    @OptionGroup var options: AdminOptions

    func validate() throws { _ = try key?.check() }

    func execute(_ desk: AdminDesk) throws {
        let organization = try desk.organization(tenant.organization)
        let owner = try team.map { name throws(AdminFailure) in
            try desk.team(name, in: organization)
        }
        let only = try key.map { try desk.key(try $0.check(), in: organization) }
        if let only, let owner, only.team != owner.name {
            throw AdminFailure.refused(
                "Key \(only.id) is not of team \(QuotedText.quoted(owner.name)).",
                advice: "Leave out --team or --key.")
        }
        let now = try desk.ledger.time()
        let beginning = since.before(now)
        // An end within an hour takes that hour in: half an hour cannot be told from the books.
        let end = until?.beforeExactly(now).endOfHour
        guard beginning < end ?? now else {
            throw AdminFailure.wrongUsage(
                "The report would end before it begins (\(TimeText.short(beginning)) UTC).",
                advice: "Give --since a time before \(until == nil ? "now" : "--until").")
        }
        let query = UsageQuery(
            organization: organization.id, team: owner?.id, key: only?.id, since: beginning,
            until: end, grouping: by)
        let rows = try desk.ledger.usage(query)
        try desk.answer(rows.map(UsageView.record), names: UsageView.names(by)) {
            UsageView(query: query, now: now, output: desk.output).lines(rows)
        }
    }
}
