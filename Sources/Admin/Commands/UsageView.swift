import Domain
import Ledger

/// A usage report as people and programs see it.
struct UsageView {
    /// What the report is about.
    let span: UsageSpan
    /// What a row stands for.
    let grouping: UsageQuery.Grouping
    /// What bars and pictures show.
    let rank: UsageRank
    /// Which pictures there are.
    let chart: UsageChart
    /// Whether every group of the span has a line.
    let isWhole: Bool
    /// Days of a report by end state that the records do not tell of any more.
    let dropped: DroppedDays?
    /// Where it is shown.
    let output: Output

    private static let counted = [
        "requests", "failed_requests", "prompt_tokens", "cached_tokens", "cache_write_tokens",
        "completion_tokens", "reasoning_tokens", "total_tokens", "charged_tokens", "cost_usd",
        "cost_nanousd",
    ]
    private static let compared = [
        "previous_requests", "previous_failed_requests", "previous_total_tokens",
        "previous_cost_usd", "previous_cost_nanousd",
    ]

    /// The fields of a row for programs.
    static func names(_ grouping: UsageQuery.Grouping, comparing: Bool) -> [String] {
        let group = UsageGroupLabel(grouping: grouping, place: .utc).names
        return group + counted + (comparing ? compared : [])
    }

    /// A line for programs; nil for the sum of all others, which they have no name for.
    static func record(
        _ line: UsageLine, by grouping: UsageQuery.Grouping, in place: LocalTime
    ) -> Record? {
        guard case .group(let group) = line.label else { return nil }
        let label = UsageGroupLabel(grouping: grouping, place: place)
        let sums = line.sums
        let values: [Record.Value] = [
            .integer(sums.requests), .integer(sums.failedRequests), .integer(sums.promptTokens),
            .integer(sums.cachedTokens), .integer(sums.cacheWriteTokens),
            .integer(sums.completionTokens), .integer(sums.reasoningTokens),
            .integer(sums.totalTokens), .integer(sums.chargedTokens),
            .text(NumberText.dollars(nanoUSD: sums.costNanoUSD)), .integer(sums.costNanoUSD),
        ]
        var fields =
            zip(label.names, label.values(group)).map { (name: $0, value: $1) }
            + zip(counted, values).map { (name: $0, value: $1) }
        if let before = line.before {
            let values: [Record.Value] = [
                .integer(before.requests), .integer(before.failedRequests),
                .integer(before.totalTokens),
                .text(NumberText.dollars(nanoUSD: before.costNanoUSD)),
                .integer(before.costNanoUSD),
            ]
            fields += zip(compared, values).map { (name: $0, value: $1) }
        }
        return Record(fields)
    }

    /// A month, `2026-11`.
    static func month(_ first: CalendarDay) -> String { String(first.description.prefix(7)) }

    /// The table, its totals, and how usage was spread over time; or the heat map.
    func lines(_ lines: [UsageLine]) -> [String] {
        if lines.isEmpty { return ["No usage \(range)."] + (dropped == nil ? [] : notes) }
        let picture =
            chart == .heatmap
            ? UsageHeatMap(span: span, rank: rank, output: output).lines(lines)
            : UsageTable(
                grouping: grouping, place: span.place, rank: rank, hasBars: chart == .bars,
                output: output
            ).lines(lines) + (chart == .bars && isWhole ? spread(lines) : [])
        return picture + notes
    }

    private var range: String {
        func text(_ instant: Timestamp) -> String { TimeText.short(span.place.shown(instant)) }
        return "since \(text(span.begin))" + (span.end.map { " until \(text($0))" } ?? "")
            + (span.place.isUTC ? "" : " (\(span.place.name))")
    }

    /// Whose days these are, where they are not those of UTC.
    private var notes: [String] {
        if let dropped {
            let text = DroppedDaysNote(dropped: dropped).text
            return [""] + TextWrap.lines(text, width: output.width).map(output.style.dim)
        }
        if grouping == .tag {
            let text = "A key counts under each of its tags, so these rows may not add up."
            return [""] + TextWrap.lines(text, width: output.width).map(output.style.dim)
        }
        guard grouping.isOfTime, !span.place.isUTC else { return [] }
        var text = "Days and hours of \(span.place.name)."
        if span.place.isBetweenHours(at: span.begin) {
            text +=
                " It is not whole hours from UTC: each hour of UTC counts for the day in which "
                + "it begins."
        }
        return [""] + TextWrap.lines(text, width: output.width).map(output.style.dim)
    }

    /// A line of blocks over the whole span, hours and days without usage included.
    private func spread(_ lines: [UsageLine]) -> [String] {
        guard lines.count > 1 else { return [] }
        let values: [Int128]
        switch grouping {
        case .hour: values = hours(lines)
        case .day: values = days(lines)
        default: return []
        }
        // A report over decades by the hour: no picture says anything.
        guard (2...100_000).contains(values.count) else { return [] }
        let caption = rank.caption + "  "
        var picture = Chart.sparkline(values, width: output.width - DisplayWidth.of(caption))
        while picture.last == " " { picture.removeLast() }
        return ["", output.style.dim(caption) + output.style.accent(picture)]
    }

    private func hours(_ lines: [UsageLine]) -> [Int128] {
        let hour: Int64 = 3_600_000_000
        let times = lines.compactMap { line -> (time: Int64, value: Int128)? in
            guard case .group(let group) = line.label, let time = group.time else { return nil }
            return (time, rank.of(line.sums))
        }
        // The books may be a moment ahead of the clock; a row is never left out of the picture.
        let last = max(times.last?.time ?? 0, (span.end ?? span.now).microseconds - 1)
        let count = (last - span.begin.microseconds) / hour + 1
        guard (2...100_000).contains(count) else { return [] }
        var values = [Int128](repeating: 0, count: Int(count))
        for (time, value) in times {
            let index = Int((time - span.begin.microseconds) / hour)
            if values.indices.contains(index) { values[index] += value }
        }
        return values
    }

    private func days(_ lines: [UsageLine]) -> [Int128] {
        let first = span.place.day(of: span.begin).rawValue
        let times = lines.compactMap { line -> (day: Int32, value: Int128)? in
            guard case .group(.day(let day)) = line.label else { return nil }
            return (day.rawValue, rank.of(line.sums))
        }
        let end = span.place.day(of: (span.end ?? span.now) + .microseconds(-1)).rawValue
        let count = max(times.last?.day ?? first, end) - first + 1
        guard (2...100_000).contains(count) else { return [] }
        var values = [Int128](repeating: 0, count: Int(count))
        for (day, value) in times where values.indices.contains(Int(day - first)) {
            values[Int(day - first)] += value
        }
        return values
    }
}
