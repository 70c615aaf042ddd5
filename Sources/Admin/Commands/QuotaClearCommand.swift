import ArgumentParser
import Domain

/// `admin quota clear`.
struct QuotaClearCommand: AdminSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "clear",
        abstract: "Take quotas and rate limits away: all that are named, or none.",
        discussion: """
            What is cleared no longer limits anybody. What was used stays in the books. With --model it is about what is \
            set for that model, and without about what is set over all models; --all clears both.

            Example:
              turnpike admin quota clear --team research --tokens day --requests minute
              turnpike admin quota clear --team research --model gpt-4o --tokens day
              turnpike admin quota clear --team research --all --yes
            """)

    @OptionGroup var subject: SubjectOptions
    @Option(
        help: ArgumentHelp("What is set for this model alias.", valueName: "name"),
        completion: .models)
    var model: String?
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
    @Flag(help: "Everything there is; with --model everything of that model.")
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
            .filter { all && model == nil || $0.model == model }
        if let missing = named.first(where: { name in !present.contains { $0.target == name } }) {
            let which = AllowanceEntry(
                target: missing, model: model, limit: 0, ridesOutages: nil, numbers: nil)
            throw AdminFailure.refused(
                "There is no \(which.title) limit on \(found.title).",
                advice: "Nothing was cleared. See `turnpike admin quota show \(found.flags)`.")
        }
        if all, !present.isEmpty {
            let names = present.map(\.title).joined(separator: ", ")
            try desk.confirm("Clear \(names) of \(found.title)?", isConfirmed: yes)
        }
        // One transaction for each model, and one for all models: only with --all are there several,
        // and repeating it clears what is left.
        let cleared = present.filter { all || named.contains($0.target) }
        let groups = Dictionary(grouping: cleared) { $0.model ?? "" }.sorted { $0.key < $1.key }
        for (name, entries) in groups {
            let model = name.isEmpty ? nil : name
            try desk.ledger.apply(
                entries.map(\.target.clearing), to: found.subject, model: model,
                in: found.organization)
        }
        try AllowanceView.answer(found, at: desk)
    }
}
