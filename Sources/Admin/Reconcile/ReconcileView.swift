import Domain
import Ledger

/// A comparison as people and programs see it.
struct ReconcileView {
    /// What was compared.
    let reconciliation: Reconciliation
    /// The export.
    let tally: ExportTally
    /// What the ledger said.
    let usage: BackendUsage
    /// The time, in UTC.
    let range: Range<Timestamp>
    /// Whose use.
    let backends: [String]
    /// Whether people see what matched too.
    let showsAll: Bool
    /// Where it is shown.
    let output: Output

    /// The fields of an amount for programs.
    static let names = ["time", "model", "class", "here", "there", "difference", "state"]

    /// Every amount, then the totals, whose time and model are missing.
    var records: [Record] {
        (reconciliation.lines + reconciliation.totals).map { line in
            Record(
                Self.names,
                [
                    .optional(line.start.map(TimeText.iso)), .optional(line.model),
                    .text(line.kind.rawValue), .integer(line.here), .integer(line.there),
                    .integer(line.difference), .text(line.state.rawValue),
                ])
        }
    }

    /// What was compared, what differs, and the totals.
    var lines: [String] {
        let shown = reconciliation.lines.filter { showsAll || $0.state != .matched }
        return wrapped(heading) + notes.flatMap { wrapped($0) } + [""]
            + (shown.isEmpty ? [] : table(shown, isTotal: false) + [""])
            + table(reconciliation.totals, isTotal: true) + [""] + wrapped(closing)
    }

    private var heading: String {
        let names = backends.joined(separator: ", ")
        return "Compared \(tally.format?.rawValue ?? "the") export with what the ledger has of"
            + " \(backends.count == 1 ? "backend" : "backends") \(names),"
            + " \(TimeText.short(range.lowerBound)) to \(TimeText.short(range.upperBound)) in UTC,"
            + " by \(tally.step.rawValue)\(reconciliation.tellsModels ? " and model" : "")."
    }

    private var notes: [String] {
        var notes: [String] = []
        if !reconciliation.tellsModels {
            notes.append("The export does not tell models apart: they are compared together.")
        }
        notes += reconciliation.renamed.map {
            "The export's \(QuotedText.quoted($0.theirs)) is compared with"
                + " \(QuotedText.quoted($0.ours))."
        }
        if tally.isIncomplete {
            notes.append("The export's last page says that more follow: get them with next_page.")
        }
        if usage.openRequests > 0 {
            notes.append(
                "\(number(Int128(usage.openRequests))) requests of this time are still open and"
                    + " not counted here.")
        }
        if reconciliation.estimatedTokens > 0 {
            notes.append(
                "\(number(reconciliation.estimatedTokens)) tokens here were counted by the gateway:"
                    + " the backend did not report them.")
        }
        return notes
    }

    private var closing: String {
        let states = Reconciliation.State.allCases.compactMap { state -> String? in
            let count = reconciliation.count(state)
            let word = state.rawValue.replacing("_", with: " ")
            return count > 0 ? "\(number(Int128(count))) \(word)" : nil
        }
        return "\(number(Int128(tally.rows))) rows read. "
            + (states.isEmpty ? "Nothing to compare." : states.joined(separator: ", ") + ".")
    }

    private func table(_ lines: [Reconciliation.Line], isTotal: Bool) -> [String] {
        var columns: [TableColumn] = []
        if !isTotal {
            columns.append(.whole(tally.step == .day ? "Day" : "Hour (UTC)"))
            if reconciliation.tellsModels { columns.append(.text("Model", minimum: 8)) }
        }
        columns += [
            .whole(isTotal ? "Total" : "What"), .number("Here"), .number("There"),
            .number("Difference"), .whole("State"),
        ]
        let rows = lines.map { line -> [TableFormatter.Cell] in
            var cells: [String] = []
            if !isTotal {
                cells.append(line.start.map(time) ?? "")
                if reconciliation.tellsModels { cells.append(line.model ?? "") }
            }
            cells += [
                Self.word(line.kind), amount(line.kind, line.here), amount(line.kind, line.there),
                amount(line.kind, line.difference),
                line.state.rawValue.replacing("_", with: " "),
            ]
            return cells.map { .text($0) }
        }
        return TableFormatter(width: output.width, style: output.style).lines(
            columns: columns, rows: rows, totals: nil)
    }

    private func time(_ start: Timestamp) -> String {
        tally.step == .day ? start.day.description : "\(start.day) \(TimeText.clock(start))"
    }

    private func amount(_ kind: UsageClass, _ amount: Int128) -> String {
        guard kind == .cost else { return number(amount) }
        let decimals = NumberText.neededDecimals(nanoUSD: amount)
        return NumberText.dollars(nanoUSD: amount, decimals: decimals, grouping: true)
    }

    private static func word(_ kind: UsageClass) -> String {
        switch kind {
        case .requests: "requests"
        case .prompt: "prompt"
        case .cached: "cached"
        case .cacheWrite: "cache write"
        case .completion: "completion"
        case .cost: "cost, USD"
        }
    }

    private func number(_ number: Int128) -> String { NumberText.grouped(number) }
    private func wrapped(_ text: String) -> [String] { TextWrap.lines(text, width: output.width) }
}
