/// One column of a table.
struct TableColumn {
    /// How a column gives way when the table is too wide.
    enum Fit: Equatable {
        /// Always whole: numbers and ids, which must not be cut.
        case whole
        /// Cut with `…` down to so many columns of the terminal.
        case flexible(minimum: Int)
        /// Left out when nothing flexible is left to cut; those with the higher rank go first.
        case optional(rank: Int)
        /// A bar in what is left of the line, at most so wide; left out below four.
        case bar(maximum: Int)
    }

    /// The short name above the column.
    let header: String
    /// Whether the column is of numbers, which stand on the right.
    let isNumeric: Bool
    /// How it gives way.
    let fit: Fit

    /// Whether the column is of bars, which say nothing that the numbers do not.
    var isBar: Bool { if case .bar = fit { true } else { false } }

    /// A column of text that may be cut.
    static func text(_ header: String, minimum: Int) -> TableColumn {
        TableColumn(header: header, isNumeric: false, fit: .flexible(minimum: minimum))
    }
    /// A column of text that is never cut.
    static func whole(_ header: String) -> TableColumn {
        TableColumn(header: header, isNumeric: false, fit: .whole)
    }
    /// A column of numbers that is always shown.
    static func number(_ header: String) -> TableColumn {
        TableColumn(header: header, isNumeric: true, fit: .whole)
    }
    /// A column of numbers that a narrow table leaves out.
    static func number(_ header: String, droppedAt rank: Int) -> TableColumn {
        TableColumn(header: header, isNumeric: true, fit: .optional(rank: rank))
    }
}
