import ArgumentParser
import Domain
import Ledger

/// `admin usage`.
struct UsageCommand: AdminSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "usage", abstract: "Review what was used, from the ledger's own books.",
        discussion: """
            Days, months and the midnights that spans begin at are those of --time-zone, else UTC. The books are kept by \
            the hour of UTC: a time within an hour counts the whole hour, and where a zone is not whole hours from UTC, an \
            hour counts for the day in which it begins. --until leaves its own instant out. --by end-state reads every \
            record of the span, as far back as records are kept; all else comes from sums by the hour.

            Example:
              turnpike admin usage --by team --since 30d --top 10 --rank cost
              turnpike admin usage --by month --since 2026-01-01 --time-zone Europe/Berlin
              turnpike admin usage --since 7d --compare
              turnpike admin usage --since 14d --chart heatmap
              turnpike admin usage --since 1h --by model --watch
              turnpike admin usage --since 2026-11-01 --until 2026-12-01 --format csv
            """, subcommands: [UsageExportCommand.self])

    private static let groupings = "day, hour, month, model, team, key or end-state"

    @OptionGroup var filter: UsageFilter
    @Option(
        help: ArgumentHelp("What a row stands for: \(groupings).", valueName: "grouping"),
        transform: { text in
            guard let grouping = UsageQuery.Grouping(rawValue: text) else {
                throw ValidationError("give \(groupings)")
            }
            return grouping
        })
    var by: UsageQuery.Grouping = .day
    @Option(
        help: ArgumentHelp("Only the largest rows, the others in one.", valueName: "rows"))
    var top: Int?
    @Option(
        help: ArgumentHelp(
            "By what rows are measured: tokens, cost, requests or failed.", valueName: "measure"),
        transform: { text in
            guard let rank = UsageRank(rawValue: text) else {
                throw ValidationError("give tokens, cost, requests or failed")
            }
            return rank
        })
    var rank: UsageRank = .tokens
    @Flag(help: "Set it against the span of the same length before.")
    var compare = false
    @Option(
        help: ArgumentHelp(
            "bars, none, or heatmap: a row for each day, a square for each hour.",
            valueName: "chart"),
        transform: { text in
            guard let chart = UsageChart(rawValue: text) else {
                throw ValidationError("give bars, heatmap or none")
            }
            return chart
        })
    var chart: UsageChart = .bars
    @Flag(help: "Show it again and again, until it is ended with Ctrl-C.")
    var watch = false
    @Option(help: ArgumentHelp("How often --watch shows it.", valueName: "seconds"))
    var every = 2
    @OptionGroup var options: AdminOptions

    func validate() throws {
        if !(1...3600).contains(every) { throw ValidationError("--every is 1 to 3600 seconds.") }
        if watch, options.format != .table {
            throw ValidationError("--watch shows a table: leave out --format.")
        }
        if let top, top < 1 { throw ValidationError("--top is at least 1.") }
        if chart == .heatmap, compare || top != nil || by != .day {
            throw ValidationError(
                "A heat map is of days and hours: leave out --by, --top and --compare.")
        }
    }

    private var grouping: UsageQuery.Grouping { chart == .heatmap ? .hour : by }

    func execute(_ desk: AdminDesk) throws {
        if watch { return try show(desk) }
        let scope = try filter.find(at: desk)
        let lines = try lines(scope, desk)
        let place = scope.span.place
        try desk.answer(
            lines.compactMap { UsageView.record($0, in: place) },
            names: UsageView.names(grouping, comparing: compare)
        ) {
            view(scope, desk).lines(lines)
        }
    }

    private func view(_ scope: UsageFilter.Scope, _ desk: AdminDesk) -> UsageView {
        UsageView(
            span: scope.span, grouping: grouping, rank: rank, chart: chart, isWhole: top == nil,
            output: desk.output)
    }

    /// Shows the report again and again; on a terminal in place of the one before.
    private func show(_ desk: AdminDesk) throws {
        let clock = AdminEnvironment.current.clock
        var last: (at: Timestamp, sums: UsageSums)?
        repeat {
            let scope = try filter.find(at: desk)
            let lines = try lines(scope, desk)
            let sums = lines.reduce(UsageSums()) { $0 + $1.sums }
            var heading = "\(TimeText.iso(scope.span.now)), every \(every) s"
            if let last {
                heading += UsageRate.text(from: last.sums, to: sums, in: scope.span.now - last.at)
            }
            last = (scope.span.now, sums)
            let screen = [desk.output.style.dim(heading), ""] + view(scope, desk).lines(lines)
            let text = screen.map { $0 + "\n" }.joined()
            // Home first and the rest cleared after: nothing flickers.
            try desk.output.write(
                desk.output.isTerminal
                    ? CursorText.inPlace(text)
                    : text + "\n")
        } while clock.pause(.seconds(every))
    }

    /// The lines of the report.
    private func lines(
        _ scope: UsageFilter.Scope, _ desk: AdminDesk
    ) throws -> [UsageLine] {
        let rows = try rows(scope, scope.span, desk)
        var earlier: [UsageRow]?
        let shift = scope.span.shift(grouping)
        if compare { earlier = try self.rows(scope, scope.span.before(grouping), desk) }
        let lines = UsageLine.compare(rows, with: earlier) {
            scope.span.counterpart(of: $0, shift: shift)
        }
        if let top { return UsageLine.top(top, of: lines, by: rank) }
        // The books give the largest number of tokens first.
        return grouping.isOfTime || rank == .tokens
            ? lines : UsageLine.top(.max, of: lines, by: rank)
    }

    /// The rows of a span, in the hours, days and months of its place.
    private func rows(
        _ scope: UsageFilter.Scope, _ span: UsageSpan, _ desk: AdminDesk
    ) throws -> [UsageRow] {
        let isFolded = grouping.isOfTime && !span.place.isUTC
        let rows = try desk.ledger.usage(
            UsageQuery(
                organization: scope.organization.id, team: scope.team?.id, key: scope.key?.id,
                since: span.begin, until: span.end, grouping: isFolded ? .hour : grouping))
        return isFolded ? UsageLine.fold(rows, to: grouping, in: span.place) : rows
    }
}

extension UsageQuery.Grouping {
    /// Whether its rows are hours, days or months.
    var isOfTime: Bool {
        switch self {
        case .day, .hour, .month: true
        case .model, .team, .key, .endState: false
        }
    }
}
