import Domain
import Ledger

/// A line of a usage report: a row of the books, and what it is set against.
struct UsageLine: Equatable {
    /// What the line stands for.
    enum Label: Equatable {
        case group(UsageRow.Group)
        /// All the groups that `--top` leaves out: so many.
        case others(Int)
    }

    let label: Label
    let sums: UsageSums
    /// The same of the span before; nil where nothing is compared.
    let before: UsageSums?

    /// Adds hours up to the hours, days or months of a place. Rows come in order of time.
    static func fold(
        _ rows: [UsageRow], to grouping: UsageQuery.Grouping, in place: LocalTime
    ) -> [UsageRow] {
        var folded: [UsageRow] = []
        for row in rows {
            guard case .hour(let start) = row.group else {
                folded.append(row)
                continue
            }
            let group: UsageRow.Group =
                switch grouping {
                case .day: .day(place.day(of: start))
                case .month: .month(place.day(of: start).firstOfMonth)
                default: row.group
                }
            if let last = folded.last, last.group == group {
                folded[folded.count - 1] = UsageRow(group: group, sums: last.sums + row.sums)
            } else {
                folded.append(UsageRow(group: group, sums: row.sums))
            }
        }
        return folded
    }

    /// Sets rows against those of the span before. Groups that were only there come last.
    static func compare(
        _ rows: [UsageRow], with earlier: [UsageRow]?,
        counterpart: (UsageRow.Group) -> UsageRow.Group
    ) -> [UsageLine] {
        guard let earlier else {
            return rows.map { UsageLine(label: .group($0.group), sums: $0.sums, before: nil) }
        }
        var before: [UsageRow.Group: UsageSums] = [:]
        for row in earlier { before[counterpart(row.group), default: UsageSums()] += row.sums }
        let lines = rows.map { row in
            UsageLine(
                label: .group(row.group), sums: row.sums,
                before: before.removeValue(forKey: row.group) ?? UsageSums())
        }
        let gone = earlier.map { counterpart($0.group) }.compactMap { group in
            before.removeValue(forKey: group).map {
                UsageLine(label: .group(group), sums: UsageSums(), before: $0)
            }
        }
        guard case .group(let first)? = (lines + gone).first?.label, first.time != nil else {
            return lines + gone
        }
        // Of times the order is theirs.
        return (lines + gone).sorted { ($0.time ?? .min) < ($1.time ?? .min) }
    }

    /// The `count` largest, and a line for all others.
    static func top(_ count: Int, of lines: [UsageLine], by rank: UsageRank) -> [UsageLine] {
        let sorted = lines.enumerated().sorted {
            let (left, right) = (rank.of($0.element.sums), rank.of($1.element.sums))
            return left != right ? left > right : $0.offset < $1.offset
        }.map(\.element)
        let rest = sorted.dropFirst(count)
        guard !rest.isEmpty else { return sorted }
        return sorted.prefix(count) + [
            UsageLine(
                label: .others(rest.count), sums: rest.reduce(UsageSums()) { $0 + $1.sums },
                before: rest.first?.before.map { _ in
                    rest.reduce(UsageSums()) { $0 + ($1.before ?? UsageSums()) }
                })
        ]
    }

    private var time: Int64? {
        if case .group(let group) = label { group.time } else { nil }
    }
}

extension UsageRow.Group {
    /// Where a group of hours stands in time; nil for one that is no time.
    var time: Int64? {
        switch self {
        case .day(let day), .month(let day): day.start.microseconds
        case .hour(let start): start.microseconds
        case .model, .team, .key, .tag, .endState: nil
        }
    }
}

extension UsageSums {
    /// Adds up in place.
    static func += (left: inout UsageSums, right: UsageSums) { left = left + right }
}
