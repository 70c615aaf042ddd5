import ArgumentParser
import Domain

/// Whose usage a command is about, and of which time.
struct UsageFilter: ParsableArguments {
    @Option(help: ArgumentHelp("Only this team's keys.", valueName: "name"))
    var team: String?
    @Option(
        help: ArgumentHelp("Only this key.", valueName: "key-id"), transform: KeyArgument.init)
    var key: KeyArgument?
    @Option(
        help: ArgumentHelp(
            "Only keys with this tag; given again, with that too.", valueName: "name=value"))
    var tag: [String] = []
    @Option(
        help: ArgumentHelp("The beginning: 7d, 24h or a date.", valueName: "when"),
        transform: TimeArgument.read)
    var since: TimeArgument = .span(7, .day)
    @Option(
        help: ArgumentHelp("The end, likewise. Default: now.", valueName: "when"),
        transform: TimeArgument.read)
    var until: TimeArgument?
    @Option(
        help: ArgumentHelp(
            "Whose days and hours: such as Europe/Berlin. Default: UTC.", valueName: "zone"),
        transform: { text in
            guard let place = LocalTime(text) else {
                throw ValidationError("give UTC or a place such as Europe/Berlin")
            }
            return place
        })
    var timeZone: LocalTime = .utc
    @OptionGroup var tenant: OrganizationOption

    /// What was asked for, found.
    struct Scope {
        let organization: OrganizationEntry
        let team: TeamEntry?
        let key: KeyEntry?
        let tags: [String]
        let span: UsageSpan
    }

    func validate() throws {
        _ = try key?.check()
        guard tag.allSatisfy({ $0.contains("=") && !$0.hasPrefix("=") }) else {
            throw ValidationError("--tag is a name and a value, such as env=prod.")
        }
    }

    /// Finds the tenant, team and key, and the span by the ledger's clock.
    func find(at desk: AdminDesk) throws -> Scope {
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
        // An end within an hour takes that hour in: half an hour cannot be told from the books.
        let span = UsageSpan(
            begin: since.before(now, in: timeZone), end: until?.end(before: now, in: timeZone),
            now: now, place: timeZone)
        guard span.begin < span.end ?? now else {
            throw AdminFailure.wrongUsage(
                "The report would end before it begins (\(TimeText.short(span.begin)) UTC).",
                advice: "Give --since a time before \(until == nil ? "now" : "--until").")
        }
        return Scope(organization: organization, team: owner, key: only, tags: tag, span: span)
    }
}
