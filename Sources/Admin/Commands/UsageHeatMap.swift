import Domain
import Ledger

/// The pictures of a usage report.
enum UsageChart: String, CaseIterable {
    /// A bar beside each row and a line over the span.
    case bars
    /// A row for each day and a square for each hour.
    case heatmap
    case none
}

/// A day-by-hour picture: the darker a square, the more was used in that hour.
struct UsageHeatMap {
    let span: UsageSpan
    let rank: UsageRank
    let output: Output

    /// The most days that are shown.
    static let mostDays: Int32 = 92

    /// A heading, a line for each day of the span, the newest last, and what the squares mean.
    ///
    /// An hour that a clock shows twice, at the end of summer time, is one square.
    func lines(_ lines: [UsageLine]) -> [String] {
        let place = span.place
        let last = place.day(of: (span.end ?? span.now) + .microseconds(-1)).rawValue
        let first = max(place.day(of: span.begin).rawValue, last - Self.mostDays + 1)
        var squares: [Int32: [Int128]] = [:]
        for line in lines {
            guard case .group(.hour(let hour)) = line.label else { continue }
            squares[place.day(of: hour).rawValue, default: [Int128](repeating: 0, count: 24)][
                place.hour(of: hour)] += rank.of(line.sums)
        }
        let shown = squares.filter { (first...max(last, first)).contains($0.key) }
        let largest = shown.values.joined().max() ?? 0
        let totals = (first...max(last, first)).map { day in
            number((squares[day] ?? []).reduce(0, +))
        }
        let width = max(DisplayWidth.of(rank.caption), totals.map(DisplayWidth.of).max() ?? 0)
        let hours = stride(from: 0, to: 24, by: 3).map {
            DisplayWidth.pad(String($0), to: 6, alignedAtEnd: false)
        }.joined()
        var picture = [
            output.style.dim(
                "Day         \(hours)  "
                    + DisplayWidth.pad(rank.caption, to: width, alignedAtEnd: true))
        ]
        for (index, day) in (first...max(last, first)).enumerated() {
            let row = (squares[day] ?? []).map { value in
                String(repeating: Chart.shade(value, of: largest), count: 2)
            }.joined()
            let cells = row.isEmpty ? String(repeating: " ", count: 48) : row
            picture.append(
                "\(CalendarDay(rawValue: day))  " + output.style.accent(cells) + "  "
                    + DisplayWidth.pad(totals[index], to: width, alignedAtEnd: true))
        }
        return picture + legend(largest, isCut: first > place.day(of: span.begin).rawValue)
    }

    private func legend(_ largest: Int128, isCut: Bool) -> [String] {
        let steps = (1...4).map { step in
            let most = (largest * Int128(step)) / 4
            return String(repeating: Chart.shade(largest * Int128(step), of: largest * 4), count: 2)
                + " ≤ " + number(most)
        }
        var lines = ["", output.style.dim("An hour  " + steps.joined(separator: "  "))]
        if isCut { lines.append(output.style.dim("The last \(Self.mostDays) days are shown.")) }
        return lines
    }

    private func number(_ value: Int128) -> String {
        guard rank == .cost else { return NumberText.grouped(value) }
        // Whole cents: the table has it exactly.
        let cents = (value + 5_000_000) / 10_000_000 * 10_000_000
        return "$" + NumberText.dollars(nanoUSD: cents, decimals: 2, grouping: true)
    }
}
