import ArgumentParser
import Domain
import Ledger

/// `admin quota replay`.
struct QuotaReplayCommand: AdminSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Try a limit on the past: what it would have refused.",
        discussion: """
            Takes the requests of the past one by one, each with what it was charged, and lets one in while the period \
            has room for it. Changes nothing. A gateway decides by the bound of a request, which is more than its charge: \
            near the limit it would refuse a little earlier.

            With --soft it tells when a soft quota would have warned: nothing is refused by one.

            With --model it takes the requests that asked for that model alias alone, as a quota of that model would.

            A month or a total that began before --since is taken to have begun empty.

            Example:
              turnpike admin quota replay --team research --since 7d --tokens 500000/day
              turnpike admin quota replay --organization acme --since 2026-10-01 --cost 50usd/month --format csv
              turnpike admin quota replay --team research --model gpt-4o --tokens 100k/day
            """)

    @OptionGroup var subject: SubjectOptions
    @Option(
        help: ArgumentHelp("Requests for this model alias alone.", valueName: "name"),
        completion: .models)
    var model: String?
    @Option(
        help: ArgumentHelp("The beginning: 7d, 24h or a date.", valueName: "when"),
        transform: TimeArgument.read)
    var since: TimeArgument = .span(7, .day)
    @Option(
        help: ArgumentHelp("The end, likewise. Default: now.", valueName: "when"),
        transform: TimeArgument.read)
    var until: TimeArgument?
    @Option(
        help: ArgumentHelp("Tokens per day, month or total.", valueName: "n/period"),
        transform: { try AllowanceText.tokens($0) })
    var tokens: Allowance?
    @Option(
        help: ArgumentHelp("Requests per day, month or total.", valueName: "n/period"),
        transform: { try AllowanceText.requests($0) })
    var requests: Allowance?
    @Option(
        help: ArgumentHelp(
            "Cost per day, month or total, such as 50usd/month.", valueName: "n-usd/period"),
        transform: { try AllowanceText.cost($0) })
    var cost: Allowance?
    @Flag(help: "Try it as a soft quota, which only warns.")
    var soft = false
    @OptionGroup var options: AdminOptions

    private var proposals: [Allowance] { [tokens, requests, cost].compactMap(\.self) }

    func validate() throws {
        guard proposals.count == 1, case .quota = proposals[0] else {
            throw ValidationError(
                proposals.isEmpty
                    ? "Which limit? Name one, such as --tokens 500000/day."
                    : "One quota is replayed at a time, per day, month or in total.")
        }
        guard !soft || proposals[0].limit > 0 else {
            throw ValidationError("A soft quota of 0 has no part to warn of; give at least 1.")
        }
    }

    func execute(_ desk: AdminDesk) throws {
        guard case .quota(let resource, let period, let limit)? = proposals.first else { return }
        let found = try subject.find(at: desk)
        if let model { try desk.checkModel(model) }
        let now = try desk.ledger.time()
        let beginning = since.before(now)
        let end = until?.beforeExactly(now) ?? now
        guard beginning < end else {
            throw AdminFailure.wrongUsage(
                "The replay would end before it begins (\(TimeText.short(beginning)) UTC).",
                advice: "Give --since a time before \(until == nil ? "now" : "--until").")
        }
        var replay = QuotaReplay(
            resource: resource, period: period, limit: limit,
            softThresholds: soft ? desk.ledger.quotaThresholds() : nil)
        try desk.ledger.charges(
            ChargeQuery(
                organization: found.organization.id, subject: found.subject, model: model,
                resource: resource, since: beginning, until: end)
        ) { charge, instant in replay.take(charge: charge, at: instant) }
        let view = ReplayView(replay: replay, found: found, model: model)
        try desk.answer(view.records, names: ReplayView.names) { view.lines(desk) }
    }
}

/// A replay as people and programs see it.
struct ReplayView {
    let replay: QuotaReplay
    /// Whose requests.
    let found: SubjectOptions.Found
    /// The model that they asked for; nil for all.
    let model: String?

    /// The fields of a day for programs.
    static let names = [
        "day", "resource", "period", "unit", "limit", "served_requests", "used",
        "refused_requests", "refused", "first_refused_at", "model", "soft", "first_warned_at",
        "exhausted_at",
    ]

    private var days: [(key: CalendarDay, value: QuotaReplay.Day)] {
        replay.days.sorted { $0.key < $1.key }
    }

    private var isSoft: Bool { replay.softThresholds != nil }

    private var target: AllowanceTarget { .quota(replay.resource, replay.period) }

    /// Every day that had a request, for programs.
    var records: [Record] {
        days.map { date, day in
            Record(
                Self.names,
                [
                    .text(date.description), .text(replay.resource.name),
                    .text(replay.period.name), .text(AllowanceView.words(target).unit),
                    .integer(replay.limit), .integer(day.servedRequests), .integer(day.used),
                    .integer(day.refusedRequests), .integer(day.refused),
                    .optional(day.firstRefusal.map(TimeText.iso)), .optional(model),
                    .flag(isSoft), .optional(day.firstWarning.map(TimeText.iso)),
                    .optional(day.exhausted.map(TimeText.iso)),
                ])
        }
    }

    /// Every day on a line, and what it comes to.
    func lines(_ desk: AdminDesk) -> [String] {
        let which = model.map { " for model \(QuotedText.quoted($0))" } ?? ""
        if days.isEmpty { return ["\(found.title) had no request\(which) in that time."] }
        if isSoft { return softTable(desk) + ["", softConclusion] }
        let columns: [TableColumn] = [
            .whole("Day"), .number("Served"), .number("Used"), .number("Refused"),
            TableColumn(header: "First at", isNumeric: false, fit: .optional(rank: 1)),
            TableColumn(header: "", isNumeric: false, fit: .bar(maximum: 10)),
        ]
        let rows = days.map { date, day -> [TableFormatter.Cell] in
            [
                .text(date.description), .text(NumberText.grouped(Int128(day.servedRequests))),
                .text(amount(day.used)), .text(NumberText.grouped(Int128(day.refusedRequests))),
                .text(day.firstRefusal.map(Self.clock) ?? ""),
                .bar(
                    value: Int128(day.refusedRequests),
                    of: Int128(day.refusedRequests) + Int128(day.servedRequests)),
            ]
        }
        return desk.tables.lines(columns: columns, rows: rows, totals: nil) + ["", conclusion]
    }

    /// Every day on a line, with when a soft limit would have warned.
    private func softTable(_ desk: AdminDesk) -> [String] {
        let columns: [TableColumn] = [
            .whole("Day"), .number("Served"), .number("Used"), .whole("Warned at"),
            .whole("Used up at"),
        ]
        let rows = days.map { date, day -> [TableFormatter.Cell] in
            [
                .text(date.description), .text(NumberText.grouped(Int128(day.servedRequests))),
                .text(amount(day.used)), .text(day.firstWarning.map(Self.clock) ?? ""),
                .text(day.exhausted.map(Self.clock) ?? ""),
            ]
        }
        return desk.tables.lines(columns: columns, rows: rows, totals: nil)
    }

    private var softConclusion: String {
        let most = "the most that was used is \(amount(replay.leastLimit))."
        guard replay.warnedPeriods > 0 else {
            return "\(limit), soft, would not have warned; \(most)"
        }
        let periods = NumberText.grouped(Int128(replay.warnedPeriods))
        let times = replay.warnedPeriods == 1 ? "once" : "in \(periods) periods"
        return "\(limit), soft, would have warned \(times) and refused nothing; \(most)"
    }

    /// The limit in words.
    private var limit: String {
        "\(amount(Int128(replay.limit))) \(replay.resource.name) per \(replay.period.name)"
            + (model.map { " of \(DisplayWidth.printable($0))" } ?? "")
    }

    /// The hour and the minute, in UTC.
    private static func clock(_ instant: Timestamp) -> String {
        String(TimeText.iso(instant).dropFirst(11).prefix(5))
    }

    private var conclusion: String {
        let refused = replay.days.values.reduce(0) { $0 + Int128($1.refusedRequests) }
        let all = replay.days.values.reduce(refused) { $0 + Int128($1.servedRequests) }
        guard refused > 0 else {
            return "\(limit) would have refused nothing; the most that was used is "
                + "\(amount(replay.leastLimit))."
        }
        return "\(limit) would have refused \(NumberText.grouped(refused)) of "
            + "\(NumberText.grouped(all)) requests; \(amount(replay.leastLimit)) would have refused"
            + " none."
    }

    private func amount(_ units: Int128) -> String {
        AllowanceView.amount(Int64(clamping: units), target)
    }
}
