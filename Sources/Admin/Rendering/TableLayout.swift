/// The widths of a table's columns: pure arithmetic, apart from any text.
struct TableLayout {
    /// The width of each column; nil for one that is left out.
    let widths: [Int?]
    /// The width of the columns before the bar, with their gaps.
    let textWidth: Int

    private static let narrowestBar = 4

    /// Fits columns of the `natural` widths into `width`, with `gap` between them.
    init(columns: [TableColumn], natural: [Int], width: Int, gap: Int) {
        var widths: [Int?] = columns.indices.map { index in
            if case .bar = columns[index].fit { nil } else { natural[index] }
        }
        func total() -> Int {
            let present = widths.compactMap(\.self)
            return present.reduce(0, +) + gap * max(0, present.count - 1)
        }
        func cutTexts() {
            // The widest text gives way first, a column of the terminal at a time, until the line
            // fits.
            while total() > width {
                let widest = columns.indices.compactMap { index -> (index: Int, width: Int)? in
                    guard case .flexible(let minimum) = columns[index].fit,
                        let current = widths[index], current > minimum
                    else { return nil }
                    return (index, current)
                }.max { $0.width < $1.width }
                guard let widest else { return }
                widths[widest.index] = max(1, widest.width - 1)
            }
        }
        cutTexts()
        let optional = columns.indices.compactMap { index -> (index: Int, rank: Int)? in
            guard case .optional(let rank) = columns[index].fit else { return nil }
            return (index, rank)
        }.sorted { $0.rank > $1.rank }
        for candidate in optional where total() > width {
            widths[candidate.index] = nil
        }
        // With columns gone, texts may grow again to what is left.
        for index in columns.indices {
            guard case .flexible = columns[index].fit, let current = widths[index] else { continue }
            widths[index] = min(natural[index], current + max(0, width - total()))
        }
        textWidth = min(total(), width)
        for index in columns.indices {
            guard case .bar(let maximum) = columns[index].fit else { continue }
            let left = min(maximum, width - total() - gap)
            if left >= Self.narrowestBar { widths[index] = left }
        }
        self.widths = widths
    }

    /// Whether a column is not shown.
    func isDropped(_ index: Int) -> Bool { widths[index] == nil }
}
