import Domain
import Ledger

/// How long requests took, as people and programs see it.
struct UsageLatencyView {
    let label: UsageGroupLabel
    let output: Output

    /// The longest span: thirteen months, as long as sums by the hour are kept at least.
    static let mostDays: Int64 = 400

    private static let measured = ["first_token", "duration"].flatMap { time in
        ["p50", "p95", "p99"].map { "\(time)_\($0)_us" }
    }

    /// The fields of a row for programs; times in microseconds, and how far they may be off.
    var names: [String] { Self.names(label.grouping) }

    /// The same for each grouping.
    static func names(_ grouping: UsageQuery.Grouping) -> [String] {
        UsageGroupLabel(grouping: grouping, place: .utc).names + ["requests"] + measured
            + ["times", "error_permille"]
    }

    /// A row for programs.
    func record(_ row: LatencyRow) -> Record {
        Record(
            names,
            label.values(row.group) + [.integer(row.requests)]
                + Self.times(row).map { .optional($0?.microseconds) }
                + [
                    .text(row.isApproximate ? "approximate" : "exact"),
                    .integer(row.isApproximate ? LatencyHistogram.errorPermille : 0),
                ])
    }

    /// The table for people.
    func lines(_ report: LatencyReport) -> [String] {
        let rows = report.rows
        if rows.isEmpty { return ["No records of that time."] + notes(report) }
        var columns = [label.column]
        let hasName = label.grouping == .key
        if hasName { columns.append(.text("Name", minimum: 6)) }
        columns += [
            .number("Requests", droppedAt: 4), .number("First p50"), .number("p95", droppedAt: 2),
            .number("p99", droppedAt: 0), .number("All p50"), .number("p95", droppedAt: 3),
            .number("p99", droppedAt: 1),
        ]
        let table = TableFormatter(width: output.width, style: output.style).lines(
            columns: columns,
            rows: rows.map { row in
                var texts = [label.text(row.group)]
                if hasName {
                    if case .key(_, let name, _) = row.group {
                        texts.append(name)
                    } else {
                        texts.append("")
                    }
                }
                texts.append(NumberText.grouped(Int128(row.requests)))
                let mark = row.isApproximate ? "~" : ""
                texts += Self.times(row).map { $0.map { mark + Self.text($0) } ?? "-" }
                return texts.map { .text($0) }
            }, totals: nil)
        return table + [""] + notes(report)
    }

    private func notes(_ report: LatencyReport) -> [String] {
        var note =
            report.rows.isEmpty
            ? ""
            : "First: until the first token. All: until the end. p95: of 100 requests 95 were as"
                + " quick. Of requests that were charged."
        if report.rows.contains(where: \.isApproximate) {
            let error = LatencyHistogram.errorPermille
            note += " ~: at most \(error / 10).\(error % 10) per cent off."
        }
        if let dropped = report.dropped { note += " " + DroppedDaysNote(dropped: dropped).text }
        return TextWrap.lines(note, width: output.width).map(output.style.dim)
    }

    private static func times(_ row: LatencyRow) -> [Duration?] {
        [row.firstToken, row.duration].flatMap { [$0?.p50, $0?.p95, $0?.p99] }
    }

    /// A time in at most seven columns: `12 ms`, `1.23 s`, `123 s`.
    static func text(_ time: Duration) -> String {
        let milliseconds = (time.microseconds + 500) / 1000
        if milliseconds < 1000 { return "\(milliseconds) ms" }
        if milliseconds >= 100_000 { return "\(NumberText.grouped(Int128(milliseconds / 1000))) s" }
        let hundredths = (milliseconds + 5) / 10
        let rest = String(hundredths % 100)
        return "\(hundredths / 100)." + (rest.utf8.count < 2 ? "0" : "") + rest + " s"
    }
}
