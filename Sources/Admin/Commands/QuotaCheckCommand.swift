import ArgumentParser
import Domain
import Ledger

/// `admin quota check`.
struct QuotaCheckCommand: AdminSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Tell whether a request would pass, and what blocks it.",
        discussion: """
            Asks for so many tokens, prompt and the longest answer together, as a gateway would before it calls a \
            backend, and reserves nothing. Ends with status 1 when something blocks the request. A soft quota blocks \
            none; it says "would warn" where the request could bring its use to 80 per cent (quota_warnings).

            With --model what is set for that model is checked too; without it only what holds for every model.

            Not checked, because it changes by the second and is not in the books: how much of a rate is gone, how many \
            requests run, and the share of a team's quota that the requests of one key may hold at once \
            (limits.key_share_percent). A request above a whole minute's tokens is told.

            Example:
              turnpike admin quota check --key 1u8QGN1vBYo --tokens 20000
              turnpike admin quota check --key 1u8QGN1vBYo --tokens 20k --cost 0.25usd --model gpt-4o
            """)

    @Option(help: ArgumentHelp("The key.", valueName: "key-id"), transform: KeyArgument.init)
    var key: KeyArgument
    @Option(
        help: ArgumentHelp("Tokens of the prompt and of the longest answer.", valueName: "n"),
        transform: { try Self.amount($0) })
    var tokens: Int64
    @Option(
        help: ArgumentHelp(
            "What that costs at most, such as 0.25usd; without it quotas of cost are not checked.",
            valueName: "n-usd"), transform: { try Self.dollars($0) })
    var cost: Int64?
    @Option(help: ArgumentHelp("The model asked for.", valueName: "name"), completion: .models)
    var model: String?
    @OptionGroup var tenant: OrganizationOption
    @OptionGroup var options: AdminOptions

    func validate() throws { _ = try key.check() }

    func execute(_ desk: AdminDesk) throws {
        let owner = try desk.organization(tenant.organization)
        let entry = try desk.key(try key.check(), in: owner)
        let found = try SubjectOptions.find(entry, owner, desk)
        if let model { try desk.checkModel(model) }
        let demand = AllowanceCheck.Demand(tokens: tokens, cost: cost)
        let all = try AllowanceView.applying(to: found, at: desk)
        let thresholds = desk.ledger.quotaThresholds()
        let lines = all.filter { $0.entry.model == nil || $0.entry.model == model }
            .map { AllowanceCheck(line: $0, demand: demand, thresholds: thresholds) }
        let obstacles = Self.obstacles(of: entry, model: model)
        try desk.answer(lines.map(\.record), names: AllowanceCheck.names) {
            AllowanceCheck.table(lines, found, desk)
        }
        let blocking = obstacles + lines.compactMap(\.blocking)
        guard let first = blocking.first else {
            guard desk.format == .table else { return }
            try desk.output.line("The request would pass.")
            for warning in lines.compactMap(\.warning) {
                try desk.output.line(QuotedText.capital(warning) + ".")
            }
            let others = Set(all.compactMap(\.entry.model)).sorted()
            if model == nil, !others.isEmpty {
                let names = others.map(DisplayWidth.printable).joined(separator: ", ")
                try desk.output.line(
                    "Not checked: what is set for single models (\(names)); name one with --model.")
            }
            return
        }
        throw AdminFailure.refused(
            "The request would be refused: \(first).",
            advice: blocking.count == 1
                ? nil : "And: \(blocking.dropFirst().joined(separator: "; ")).")
    }

    /// What is wrong with the key itself.
    private static func obstacles(of key: KeyEntry, model: String?) -> [String] {
        var found: [String] = []
        if key.state != .active { found.append("the key is \(key.state)") }
        if let model, let models = key.models, !models.contains(model) {
            found.append("the key may not use model \(QuotedText.quoted(model))")
        }
        return found
    }

    private static func amount(_ text: String) throws -> Int64 {
        guard let amount = AmountText.parse(text), amount > 0 else {
            throw ValidationError("give \(AmountText.accepted)")
        }
        return amount
    }

    private static func dollars(_ text: String) throws -> Int64 {
        guard text.lowercased().hasSuffix("usd"), let dollars = NanoUSD(dollars: text.dropLast(3))
        else { throw ValidationError("give an amount of dollars such as 0.25usd") }
        return dollars.rawValue
    }
}

/// One limit, asked for what a request would need.
struct AllowanceCheck {
    /// What a request needs.
    struct Demand {
        let tokens: Int64
        /// In nano-dollars; nil when nobody said.
        let cost: Int64?
    }

    let line: AllowanceView.Line
    /// What the request needs of it; nil when that is not known.
    let needs: Int64?
    /// Whether there is so much; nil when the books do not tell.
    let passes: Bool?

    /// How much of a soft quota would be used, in per cent, where that is worth a warning.
    let warns: Int64?

    init(line: AllowanceView.Line, demand: Demand, thresholds: QuotaThresholds) {
        self.line = line
        let entry = line.entry
        switch entry.target {
        case .quota(.tokens, _): needs = demand.tokens
        case .quota(.requests, _): needs = 1
        case .quota(.cost, _): needs = demand.cost
        case .rate(.tokensPerMinute): needs = demand.tokens
        case .rate(.requestsPerMinute), .rate(.concurrentRequests): needs = 1
        }
        if entry.isSoft {
            passes = needs.map { _ in true }
            let sum = [entry.numbers?.used, entry.numbers?.reserved, needs].compactMap(\.self)
                .reduce(Int128(0)) { $0 + Int128($1) }
            warns = thresholds.warning(used: Int64(clamping: sum), limit: entry.limit)
            return
        }
        warns = nil
        passes =
            if let left = entry.numbers?.left { needs.map { $0 <= left } } else {
                needs.flatMap { $0 > entry.limit ? false : nil }
            }
    }

    /// That a soft quota would warn; nil where it would not.
    var warning: String? {
        warns.map { "\(line.entry.title) of \(line.owner.title) would warn: \($0)% used" }
    }

    /// The answer in a word.
    private var verdict: String {
        guard let passes else { return "not checked" }
        return warns != nil ? "would warn" : passes ? "yes" : "no"
    }

    /// Why the request would be refused; nil when this limit lets it pass.
    var blocking: String? {
        guard passes == false, let needs else { return nil }
        let (entry, amount) = (line.entry, AllowanceView.amount)
        let what = "\(entry.title) of \(line.owner.title)"
        guard let numbers = entry.numbers else {
            return
                "it needs more than \(what) lets through, which is \(amount(entry.limit, entry.target))"
        }
        let resets = numbers.resetsAt.map { "; it resets at \(TimeText.iso($0))" } ?? ""
        return "\(what) has \(amount(numbers.left, entry.target)) left and it needs "
            + amount(needs, entry.target) + resets
    }

    /// The fields of a limit for programs. `passes` is missing where the books do not tell.
    static let names = [
        "subject", "subject_name", "organization", "kind", "resource", "period", "unit", "limit",
        "left", "needs", "passes", "resets_at", "model", "soft", "warns",
    ]

    /// A limit for programs.
    var record: Record {
        let (entry, words) = (line.entry, AllowanceView.words(line.entry.target))
        return Record(
            Self.names,
            [
                .text(line.owner.subject.kind.name), .text(line.owner.name),
                .text(line.owner.organization.name),
                .text(entry.numbers == nil ? "rate_limit" : "quota"), .text(words.resource),
                .optional(words.period), .text(words.unit), .integer(entry.limit),
                .optional(entry.numbers?.left), .optional(needs),
                passes.map(Record.Value.flag) ?? .missing,
                .optional(entry.numbers?.resetsAt.map(TimeText.iso)), .optional(entry.model),
                entry.numbers == nil ? .missing : .flag(entry.isSoft),
                entry.isSoft ? .flag(warns != nil) : .missing,
            ])
    }

    /// Every limit on a line.
    static func table(
        _ checks: [AllowanceCheck], _ found: SubjectOptions.Found, _ desk: AdminDesk
    ) -> [String] {
        if checks.isEmpty { return ["Nothing limits \(found.title)."] }
        let models = AllowanceView.models(checks.map(\.line))
        let columns: [TableColumn] =
            [.text("Of", minimum: 8)] + models.columns + [
                .whole("Quota"), .number("Left"), .number("Needs"), .whole("Passes"),
                TableColumn(header: "Resets", isNumeric: false, fit: .optional(rank: 1)),
            ]
        let rows = checks.map { check -> [TableFormatter.Cell] in
            let entry = check.line.entry
            func cell(_ number: Int64?) -> TableFormatter.Cell {
                .text(number.map { AllowanceView.amount($0, entry.target) } ?? "")
            }
            return [.text(check.line.owner.short)] + models.cells(entry) + [
                .text(AllowanceView.name(entry)), cell(entry.numbers?.left), cell(check.needs),
                .text(check.verdict),
                .text(AllowanceView.resets(entry.numbers)),
            ]
        }
        return desk.tables.lines(columns: columns, rows: rows, totals: nil)
    }
}
