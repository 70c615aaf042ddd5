import Domain
import Ledger

/// A usage report as people and programs see it.
struct UsageView {
    /// What was asked.
    let query: UsageQuery
    /// The ledger's time, where a report without an end stops.
    let now: Timestamp
    /// Where it is shown.
    let output: Output

    private static let counted = [
        "requests", "failed_requests", "prompt_tokens", "cached_tokens", "cache_write_tokens",
        "completion_tokens", "reasoning_tokens", "total_tokens", "charged_tokens", "cost_usd",
        "cost_nanousd",
    ]

    /// The fields of a row for programs.
    static func names(_ grouping: UsageQuery.Grouping) -> [String] {
        (grouping == .key ? ["key", "key_name", "team"] : [grouping.rawValue]) + counted
    }

    /// A row for programs.
    static func record(_ row: UsageRow) -> Record {
        let group: [(name: String, value: Record.Value)] =
            switch row.group {
            case .day(let day): [("day", .text(day.description))]
            case .hour(let hour): [("hour", .text(TimeText.iso(hour)))]
            case .model(let name): [("model", .text(name))]
            case .team(let name): [("team", .text(name))]
            case .key(let id, let name, let team):
                [("key", .text(id.description)), ("key_name", .text(name)), ("team", .text(team))]
            }
        let sums = row.sums
        let values: [Record.Value] = [
            .integer(sums.requests), .integer(sums.failedRequests), .integer(sums.promptTokens),
            .integer(sums.cachedTokens), .integer(sums.cacheWriteTokens),
            .integer(sums.completionTokens), .integer(sums.reasoningTokens),
            .integer(sums.totalTokens), .integer(sums.chargedTokens),
            .text(NumberText.dollars(nanoUSD: sums.costNanoUSD)), .integer(sums.costNanoUSD),
        ]
        return Record(group + zip(counted, values).map { (name: $0, value: $1) })
    }

    /// The table, its totals, and how the tokens were spread over time.
    func lines(_ rows: [UsageRow]) -> [String] {
        if rows.isEmpty { return ["No usage \(range)."] }
        let totals = rows.reduce(UsageSums()) { $0 + $1.sums }
        let largest = rows.map(\.sums.totalTokens).max() ?? 0
        // All with the same decimals, so that the points stand below each other.
        let decimals =
            (rows.map(\.sums) + [totals]).map {
                NumberText.neededDecimals(nanoUSD: $0.costNanoUSD)
            }.max() ?? 2
        let columns = columns(totals, decimals: decimals)
        let table = TableFormatter(width: output.width, style: output.style).lines(
            columns: columns.map(\.column),
            rows: rows.map { row in columns.map { $0.cell(row.group, row.sums, largest) } },
            totals: columns.map { $0.total(totals) })
        return table + spread(rows)
    }

    /// One column: how to fill it for a row and for the totals.
    private struct Column {
        let column: TableColumn
        let cell: (UsageRow.Group, UsageSums, Int128) -> TableFormatter.Cell
        let total: (UsageSums) -> TableFormatter.Cell

        init(_ column: TableColumn, _ number: @escaping (UsageSums) -> String) {
            self.column = column
            cell = { _, sums, _ in .text(number(sums)) }
            total = { .text(number($0)) }
        }

        init(_ column: TableColumn, total: String, label: @escaping (UsageRow.Group) -> String) {
            self.column = column
            cell = { group, _, _ in .text(label(group)) }
            self.total = { _ in .text(total) }
        }

        init(bar column: TableColumn) {
            self.column = column
            cell = { _, sums, largest in .bar(value: sums.totalTokens, of: largest) }
            total = { _ in .bar(value: 0, of: 1) }
        }
    }

    /// Columns of nothing but zeros are left out; programs get everything.
    private func columns(_ totals: UsageSums, decimals: Int) -> [Column] {
        var columns = labels
        columns.append(
            Column(.number("Requests", droppedAt: 0)) { NumberText.grouped($0.requests) })
        if totals.failedRequests > 0 {
            columns.append(
                Column(.number("Failed", droppedAt: 4)) { NumberText.grouped($0.failedRequests) })
        }
        columns.append(
            Column(.number("Prompt", droppedAt: 2)) { NumberText.grouped($0.promptTokens) })
        columns.append(
            Column(.number("Completion", droppedAt: 3)) { NumberText.grouped($0.completionTokens) })
        columns.append(Column(.number("Tokens")) { NumberText.grouped($0.totalTokens) })
        if totals.costNanoUSD > 0 {
            columns.append(
                Column(.number("Cost", droppedAt: 1)) {
                    "$"
                        + NumberText.dollars(
                            nanoUSD: $0.costNanoUSD, decimals: decimals, grouping: true)
                })
        }
        let bar = TableColumn(header: "", isNumeric: false, fit: .bar(maximum: 12))
        return columns + [Column(bar: bar)]
    }

    private var labels: [Column] {
        let header =
            switch query.grouping {
            case .day: "Day"
            case .hour: "Hour (UTC)"
            case .model: "Model"
            case .team: "Team"
            case .key: "Key"
            }
        let isTime = query.grouping == .day || query.grouping == .hour
        let first: TableColumn =
            isTime || query.grouping == .key ? .whole(header) : .text(header, minimum: 8)
        let label = Column(first, total: "Total") { group in
            switch group {
            case .day(let day): day.description
            case .hour(let hour): "\(hour.day) " + TimeText.clock(hour)
            case .model(let name), .team(let name): name
            case .key(let id, _, _): id.description
            }
        }
        guard query.grouping == .key else { return [label] }
        let name = Column(.text("Name", minimum: 6), total: "") { group in
            if case .key(_, let name, _) = group { name } else { "" }
        }
        return [label, name]
    }

    private var range: String {
        "since \(TimeText.short(query.since))"
            + (query.until.map { " until \(TimeText.short($0))" } ?? "")
    }

    /// A line of blocks over the whole range, hours and days without usage included.
    private func spread(_ rows: [UsageRow]) -> [String] {
        guard let step = step, rows.count > 1 else { return [] }
        let tokens = Dictionary(
            rows.compactMap { row in start(row.group).map { ($0, row.sums.totalTokens) } },
            uniquingKeysWith: +)
        // The books may be a moment ahead of the clock; a row is never left out of the picture.
        let last = max(tokens.keys.max() ?? query.since, (query.until ?? now) + .microseconds(-1))
        let first = step == TimeArgument.Unit.day ? query.since.day.start : query.since
        let microseconds = step.rawValue * 1_000_000
        let count = (last.microseconds - first.microseconds) / microseconds + 1
        // A report over decades by the hour: no picture says anything.
        guard (2...100_000).contains(count) else { return [] }
        let values = (0..<count).map { index in
            tokens[Timestamp(microseconds: first.microseconds + index * microseconds)] ?? 0
        }
        let caption = "Tokens  "
        var picture = Chart.sparkline(
            values, width: output.width - DisplayWidth.of(caption))
        while picture.last == " " { picture.removeLast() }
        return ["", output.style.dim(caption) + output.style.accent(picture)]
    }

    private var step: TimeArgument.Unit? {
        switch query.grouping {
        case .day: .day
        case .hour: .hour
        case .model, .team, .key: nil
        }
    }

    private func start(_ group: UsageRow.Group) -> Timestamp? {
        switch group {
        case .day(let day): day.start
        case .hour(let hour): hour
        case .model, .team, .key: nil
        }
    }
}
