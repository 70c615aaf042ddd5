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
            hour counts for the day in which it begins. --until leaves its own instant out. --by end-state and \
            --latency read every record of the span that is kept; all else comes from sums by the hour. Of days whose records \
            `retention` has dropped, how requests ended is known by the day of UTC, and how long they took within 3.2 per \
            cent: such times are marked ~. --by tag counts a key under each of its tags.

            Example:
              turnpike admin usage --by team --since 30d --top 10 --rank cost
              turnpike admin usage --by month --since 2026-01-01 --time-zone Europe/Berlin
              turnpike admin usage --since 7d --compare
              turnpike admin usage --since 30d --tag env=prod --by tag
              turnpike admin usage --since 24h --by model --latency
              turnpike admin usage --since 390d --by month --latency
              turnpike admin usage --since 14d --chart heatmap
              turnpike admin usage --since 1h --by model --watch
              turnpike admin usage --since 2026-11-01 --until 2026-12-01 --format csv
            """, subcommands: [UsageExportCommand.self])

    @OptionGroup var filter: UsageFilter
    @OptionGroup var shape: UsageShape
    @OptionGroup var options: AdminOptions

    func validate() throws { try shape.check(options.format) }

    private var grouping: UsageQuery.Grouping { shape.grouping }
    private var rank: UsageRank { shape.rank ?? .tokens }

    func execute(_ desk: AdminDesk) throws {
        if shape.watch { return try show(desk) }
        let scope = try filter.find(at: desk)
        if shape.latency { return try showLatency(scope, desk) }
        let lines = try lines(scope, desk)
        let dropped = try droppedDays(scope, desk)
        let place = scope.span.place
        try desk.answer(
            lines.compactMap { UsageView.record($0, by: grouping, in: place) },
            names: UsageView.names(grouping, comparing: shape.compare)
        ) {
            view(scope, dropped, desk).lines(lines)
        }
        try complain(dropped, desk)
    }

    private func view(
        _ scope: UsageFilter.Scope, _ dropped: DroppedDays?, _ desk: AdminDesk
    ) -> UsageView {
        UsageView(
            span: scope.span, grouping: grouping, rank: rank, chart: shape.chart ?? .bars,
            isWhole: shape.top == nil, dropped: dropped, output: desk.output)
    }

    /// The days of the report, and of what it is set against, that the records do not tell of any
    /// more, where the report is made from them.
    private func droppedDays(
        _ scope: UsageFilter.Scope, _ desk: AdminDesk
    ) throws -> DroppedDays? {
        guard grouping == .endState else { return nil }
        var query = query(scope, scope.span, by: grouping)
        if shape.compare { query.since = scope.span.before(grouping).begin }
        return try desk.ledger.droppedDays(query)
    }

    /// Says what is missing to people who read the answer of a program; a table says it itself.
    private func complain(_ dropped: DroppedDays?, _ desk: AdminDesk) throws {
        guard desk.take == nil, desk.format != .table,
            let unknown = dropped.flatMap({ DroppedDaysNote(dropped: $0).unknown })
        else { return }
        try desk.output.complain(unknown + "\n")
    }

    /// Shows the report again and again; on a terminal in place of the one before.
    private func show(_ desk: AdminDesk) throws {
        let clock = AdminEnvironment.current.clock
        var last: (at: Timestamp, sums: UsageSums)?
        repeat {
            let scope = try filter.find(at: desk)
            let lines = try lines(scope, desk)
            let sums = lines.reduce(UsageSums()) { $0 + $1.sums }
            var heading = "\(TimeText.iso(scope.span.now)), every \(shape.pause) s"
            if let last {
                heading += UsageRate.text(from: last.sums, to: sums, in: scope.span.now - last.at)
            }
            last = (scope.span.now, sums)
            let view = view(scope, try droppedDays(scope, desk), desk)
            let screen = [desk.output.style.dim(heading), ""] + view.lines(lines)
            let text = screen.map { $0 + "\n" }.joined()
            // Home first and the rest cleared after: nothing flickers.
            try desk.output.write(
                desk.output.isTerminal
                    ? CursorText.inPlace(text)
                    : text + "\n")
        } while clock.pause(.seconds(shape.pause))
    }

    /// The lines of the report.
    private func lines(
        _ scope: UsageFilter.Scope, _ desk: AdminDesk
    ) throws -> [UsageLine] {
        let rows = try rows(scope, scope.span, desk)
        var earlier: [UsageRow]?
        let shift = scope.span.shift(grouping)
        if shape.compare { earlier = try self.rows(scope, scope.span.before(grouping), desk) }
        let lines = UsageLine.compare(rows, with: earlier) {
            scope.span.counterpart(of: $0, shift: shift)
        }
        if let top = shape.top { return UsageLine.top(top, of: lines, by: rank) }
        // The books give the largest number of tokens first.
        return grouping.isOfTime || rank == .tokens
            ? lines : UsageLine.top(.max, of: lines, by: rank)
    }

    private func query(
        _ scope: UsageFilter.Scope, _ span: UsageSpan, by grouping: UsageQuery.Grouping
    ) -> UsageQuery {
        var query = UsageQuery(
            organization: scope.organization.id, team: scope.team?.id, key: scope.key?.id,
            since: span.begin, until: span.end, grouping: grouping)
        query.tags = scope.tags
        return query
    }

    /// How long requests took: of a bounded span.
    private func showLatency(_ scope: UsageFilter.Scope, _ desk: AdminDesk) throws {
        let most = UsageLatencyView.mostDays
        // Such a span begins with a day and ends with an hour, of a place where clocks may change.
        guard (scope.span.last - scope.span.begin) <= .seconds(((most + 1) * 24 + 2) * 3600) else {
            throw AdminFailure.wrongUsage(
                "--latency is of \(most) days at most.",
                advice: "Give --since \(most)d or a later time.")
        }
        let view = UsageLatencyView(
            label: UsageGroupLabel(grouping: grouping, place: scope.span.place),
            output: desk.output)
        let report = try desk.ledger.latency(
            query(scope, scope.span, by: grouping), in: scope.span.place.name)
        try desk.answer(report.rows.map(view.record), names: view.names) { view.lines(report) }
        try complain(report.dropped, desk)
    }

    /// The rows of a span, in the hours, days and months of its place.
    private func rows(
        _ scope: UsageFilter.Scope, _ span: UsageSpan, _ desk: AdminDesk
    ) throws -> [UsageRow] {
        let isFolded = grouping.isOfTime && !span.place.isUTC
        let rows = try desk.ledger.usage(
            query(scope, span, by: isFolded ? .hour : grouping))
        return isFolded ? UsageLine.fold(rows, to: grouping, in: span.place) : rows
    }
}

extension UsageQuery.Grouping {
    /// Whether its rows are hours, days or months.
    var isOfTime: Bool {
        switch self {
        case .day, .hour, .month: true
        case .model, .team, .key, .tag, .endState: false
        }
    }
}
