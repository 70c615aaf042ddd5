import ArgumentParser
import Domain

/// `admin quota clear`.
struct QuotaClearCommand: AdminSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "clear",
        abstract: "Take quotas and rate limits away: all that are named, or none.",
        discussion: """
            What is cleared no longer limits anybody. What was used stays in the books.

            Example:
              turnpike admin quota clear --team research --tokens day --requests minute
              turnpike admin quota clear --team research --all --yes
            """)

    @OptionGroup var subject: SubjectOptions
    @Option(
        help: ArgumentHelp("day, month or total; repeatable.", valueName: "period"),
        transform: { .quota(.tokens, try AllowanceText.period($0)) })
    var tokens: [AllowanceTarget] = []
    @Option(
        help: ArgumentHelp("day, month, total or minute; repeatable.", valueName: "period"),
        transform: {
            $0 == "minute"
                ? .rate(.requestsPerMinute) : .quota(.requests, try AllowanceText.period($0))
        })
    var requests: [AllowanceTarget] = []
    @Option(
        help: ArgumentHelp("day, month or total; repeatable.", valueName: "period"),
        transform: { .quota(.cost, try AllowanceText.period($0)) })
    var cost: [AllowanceTarget] = []
    @Flag(help: "The rate of tokens per minute.")
    var tokensRate = false
    @Flag(help: "The number of requests at once.")
    var concurrent = false
    @Flag(help: "Everything there is.")
    var all = false
    @Flag(help: "Do not ask before clearing everything.")
    var yes = false
    @OptionGroup var options: AdminOptions

    private var named: [AllowanceTarget] {
        tokens + requests + cost + (tokensRate ? [.rate(.tokensPerMinute)] : [])
            + (concurrent ? [.rate(.concurrentRequests)] : [])
    }

    func validate() throws {
        guard all != !named.isEmpty else {
            throw ValidationError(
                all
                    ? "--all clears everything; name nothing besides it."
                    : "Nothing to clear: name quotas, such as --tokens day, or --all.")
        }
    }

    func execute(_ desk: AdminDesk) throws {
        let found = try subject.find(at: desk)
        let present = try desk.ledger.allowances(on: found.subject, in: found.organization)
            .map(\.target)
        if let missing = named.first(where: { !present.contains($0) }) {
            throw AdminFailure.refused(
                "There is no \(missing.name) limit on \(found.title).",
                advice: "Nothing was cleared. See `turnpike admin quota show \(found.flags)`.")
        }
        if all, !present.isEmpty {
            let names = present.map(\.name).joined(separator: ", ")
            try desk.confirm("Clear \(names) of \(found.title)?", isConfirmed: yes)
        }
        let targets = all ? present : named
        if !targets.isEmpty {
            try desk.ledger.apply(
                targets.map(\.clearing), to: found.subject, in: found.organization)
        }
        try AllowanceView.answer(found, at: desk)
    }
}
