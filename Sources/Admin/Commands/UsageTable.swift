import Domain
import Ledger

/// The table of a usage report.
struct UsageTable {
    let grouping: UsageQuery.Grouping
    let place: LocalTime
    let rank: UsageRank
    let hasBars: Bool
    let output: Output

    /// One column: how to fill it for a line and for the totals.
    private struct Column {
        let column: TableColumn
        let cell: (UsageLine) -> TableFormatter.Cell
        let total: (UsageLine) -> TableFormatter.Cell

        init(_ column: TableColumn, _ text: @escaping (UsageLine) -> String) {
            self.column = column
            cell = { .text(text($0)) }
            total = cell
        }

        init(_ column: TableColumn, total: String, _ text: @escaping (UsageLine) -> String) {
            self.column = column
            cell = { .text(text($0)) }
            self.total = { _ in .text(total) }
        }

        init(bar: TableColumn, _ value: @escaping (UsageLine) -> Int128, of largest: Int128) {
            column = bar
            cell = { .bar(value: value($0), of: largest) }
            total = { _ in .bar(value: 0, of: 1) }
        }
    }

    /// The lines of the table, with their totals.
    func lines(_ lines: [UsageLine]) -> [String] {
        let isCompared = lines.contains { $0.before != nil }
        let totals = UsageLine(
            label: .others(0), sums: lines.reduce(UsageSums()) { $0 + $1.sums },
            before: isCompared
                ? lines.reduce(UsageSums()) { $0 + ($1.before ?? UsageSums()) } : nil)
        // All with the same decimals, so that the points stand below each other.
        let decimals =
            (lines + [totals]).flatMap { [$0.sums, $0.before ?? UsageSums()] }.map {
                NumberText.neededDecimals(nanoUSD: $0.costNanoUSD)
            }.max() ?? 2
        var columns = labels
        columns += isCompared ? compared(totals, decimals) : counted(totals.sums, decimals)
        if hasBars {
            let largest = lines.filter(\.isGroup).map { rank.of($0.sums) }.max() ?? 0
            columns.append(
                Column(
                    bar: TableColumn(header: "", isNumeric: false, fit: .bar(maximum: 12)),
                    { $0.isGroup ? rank.of($0.sums) : 0 }, of: largest))
        }
        return TableFormatter(width: output.width, style: output.style).lines(
            columns: columns.map(\.column),
            rows: lines.map { line in columns.map { $0.cell(line) } },
            // The sum of tags would count a key once for each of its own.
            totals: grouping == .tag ? nil : columns.map { $0.total(totals) })
    }

    /// Columns of nothing but zeros are left out; programs get everything.
    private func counted(_ totals: UsageSums, _ decimals: Int) -> [Column] {
        func number(
            _ header: String, _ rank: Int?, _ value: @escaping (UsageSums) -> Int128
        ) -> Column? {
            if rank != nil, rank != 0, value(totals) == 0, header != "Prompt",
                header != "Completion"
            {
                return nil
            }
            let column: TableColumn =
                rank.map { .number(header, droppedAt: $0) } ?? .number(header)
            return Column(column) { NumberText.grouped(value($0.sums)) }
        }
        let cost: Column? =
            totals.costNanoUSD > 0
            ? Column(.number("Cost", droppedAt: 1)) { dollars($0.sums, decimals) } : nil
        return [
            number("Requests", 0) { $0.requests }, number("Failed", 4) { $0.failedRequests },
            number("Prompt", 2) { $0.promptTokens }, number("Cached", 6) { $0.cachedTokens },
            number("Cache write", 7) { $0.cacheWriteTokens },
            number("Completion", 3) { $0.completionTokens },
            number("Reasoning", 5) { $0.reasoningTokens },
            number("Tokens", nil) { $0.totalTokens }, cost,
        ].compactMap(\.self)
    }

    private func compared(_ totals: UsageLine, _ decimals: Int) -> [Column] {
        func before(_ line: UsageLine) -> UsageSums { line.before ?? UsageSums() }
        func change(_ value: @escaping (UsageSums) -> Int128) -> (UsageLine) -> String {
            { Self.change(value($0.sums), from: value(before($0))) }
        }
        var columns = [
            Column(.number("Requests", droppedAt: 5)) { NumberText.grouped($0.sums.requests) },
            Column(.number("Change", droppedAt: 4), change { $0.requests }),
            Column(.number("Tokens")) { NumberText.grouped($0.sums.totalTokens) },
            Column(.number("Before", droppedAt: 3)) { NumberText.grouped(before($0).totalTokens) },
            Column(.number("Change"), change { $0.totalTokens }),
        ]
        if totals.sums.costNanoUSD > 0 || before(totals).costNanoUSD > 0 {
            columns += [
                Column(.number("Cost", droppedAt: 1)) { dollars($0.sums, decimals) },
                Column(.number("Before", droppedAt: 2)) { dollars(before($0), decimals) },
                Column(.number("Change", droppedAt: 0), change { $0.costNanoUSD }),
            ]
        }
        return columns
    }

    private func dollars(_ sums: UsageSums, _ decimals: Int) -> String {
        "$" + NumberText.dollars(nanoUSD: sums.costNanoUSD, decimals: decimals, grouping: true)
    }

    /// By how much something changed, in whole per cent: `+12 %`; `new` where there was nothing.
    static func change(_ now: Int128, from before: Int128) -> String {
        if now == before { return now == 0 ? "" : "0 %" }
        guard before > 0 else { return "new" }
        let (product, overflow) = (now - before).multipliedReportingOverflow(by: 200)
        if overflow { return "> 9999 %" }
        // Rounded to the nearest, halves away from nothing.
        let doubled = product / before
        let percent = (doubled + (doubled < 0 ? -1 : 1)) / 2
        if percent > 9999 { return "> 9999 %" }
        return percent > 0 ? "+\(percent) %" : "\(percent) %"
    }

    private var labels: [Column] {
        let label = Column(naming.column, total: "Total", text)
        guard grouping == .key else { return [label] }
        let name = Column(.text("Name", minimum: 6), total: "") { line in
            if case .group(.key(_, let name, _)) = line.label { name } else { "" }
        }
        return [label, name]
    }

    private func text(_ line: UsageLine) -> String {
        switch line.label {
        case .others(let count): count == 1 ? "1 other" : "\(count) others"
        case .group(let group): naming.text(group)
        }
    }

    private var naming: UsageGroupLabel { UsageGroupLabel(grouping: grouping, place: place) }
}

extension UsageLine {
    /// Whether it stands for one group, not for what is left of them.
    var isGroup: Bool { if case .group = label { true } else { false } }
}
