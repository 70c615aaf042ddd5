/// Lays rows out in columns so that no line is wider than the terminal.
///
/// First the bar shrinks, then texts are cut, then optional columns go, the least important first;
/// a note below says which. Numbers are never shortened.
struct TableFormatter {
    /// A cell: text, or a share for a bar.
    enum Cell {
        case text(String)
        case bar(value: Int128, of: Int128)
    }

    /// The widest line allowed.
    let width: Int
    /// How words are emphasised, if at all.
    let style: TextStyle

    private static let gap = 2

    /// The table's lines; `totals`, when given, stands below a rule. Every row has a cell for each
    /// column.
    func lines(columns: [TableColumn], rows: [[Cell]], totals: [Cell]?) -> [String] {
        let all = rows + (totals.map { [$0] } ?? [])
        precondition(
            all.allSatisfy { $0.count == columns.count }, "a row has a cell for each column")
        let printable = all.map { $0.map(Self.printable) }
        let natural = columns.indices.map { index in
            printable.reduce(DisplayWidth.of(columns[index].header)) {
                max($0, Self.naturalWidth($1[index]))
            }
        }
        let layout = TableLayout(columns: columns, natural: natural, width: width, gap: Self.gap)
        var lines = [line(columns.map { .text($0.header) }, columns, layout) { style.dim($0) }]
        lines += printable.prefix(rows.count).map { line($0, columns, layout) { $0 } }
        if totals != nil, let last = printable.last {
            lines.append(style.dim(String(repeating: "─", count: layout.textWidth)))
            lines.append(line(last, columns, layout) { style.bold($0) })
        }
        let dropped = columns.indices.filter { layout.isDropped($0) && !columns[$0].isBar }
            .map { columns[$0].header }
        if !dropped.isEmpty { lines += note(dropped) }
        return lines
    }

    private func line(
        _ cells: [Cell], _ columns: [TableColumn], _ layout: TableLayout,
        _ emphasise: (String) -> String
    ) -> String {
        var parts: [String] = []
        for (index, cell) in cells.enumerated() {
            guard let width = layout.widths[index] else { continue }
            switch cell {
            case .text(let text):
                let cut = DisplayWidth.truncate(text, to: width)
                let padded = DisplayWidth.pad(
                    cut, to: width, alignedAtEnd: columns[index].isNumeric)
                parts.append(emphasise(padded))
            case .bar(let value, let largest):
                parts.append(style.accent(Chart.bar(value, of: largest, width: width)))
            }
        }
        return Self.withoutTrailingSpaces(parts.joined(separator: "  "))
    }

    private func note(_ dropped: [String]) -> [String] {
        TextWrap.lines(
            "Left out for width: \(dropped.joined(separator: ", ")). `--format json` has everything.",
            width: width
        ).map { style.dim($0) }
    }

    private static func printable(_ cell: Cell) -> Cell {
        guard case .text(let text) = cell else { return cell }
        return .text(DisplayWidth.printable(text))
    }

    private static func naturalWidth(_ cell: Cell) -> Int {
        guard case .text(let text) = cell else { return 0 }
        return DisplayWidth.of(text)
    }

    private static func withoutTrailingSpaces(_ line: String) -> String {
        var line = line
        while line.last == " " { line.removeLast() }
        return line
    }
}
