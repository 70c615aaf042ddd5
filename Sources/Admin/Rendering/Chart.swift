/// Small pictures of numbers, made of block characters.
enum Chart {
    private static let eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    private static let levels = Array("▁▂▃▄▅▆▇█")

    /// A bar of at most `width` columns, as long as `value` is of `largest`, to an eighth of a
    /// column.
    ///
    /// Rounded up, so that only nothing looks like nothing.
    static func bar(_ value: Int128, of largest: Int128, width: Int) -> String {
        guard value > 0, largest > 0, width > 0 else { return "" }
        let steps = scaled(min(value, largest), of: largest, to: Int128(width) * 8)
        return String(repeating: "█", count: Int(steps / 8)) + eighths[Int(steps % 8)]
    }

    /// One character for each value, in at most `width` columns.
    ///
    /// With more values than columns, neighbours are added up, the same number in every column but
    /// the last.
    static func sparkline(_ values: [Int128], width: Int) -> String {
        guard !values.isEmpty, width > 0 else { return "" }
        let perColumn = (values.count - 1) / width + 1
        let sums = stride(from: 0, to: values.count, by: perColumn).map { start in
            values[start..<min(start + perColumn, values.count)].reduce(0, saturatingSum)
        }
        let largest = sums.max() ?? 0
        return String(
            sums.map { sum -> Character in
                guard sum > 0, largest > 0 else { return " " }
                return levels[Int(scaled(sum, of: largest, to: 8)) - 1]
            })
    }

    /// How dark `value` is beside `largest`, in four steps; a space for nothing.
    static func shade(_ value: Int128, of largest: Int128) -> String {
        guard value > 0, largest > 0 else { return " " }
        return ["░", "▒", "▓", "█"][Int(scaled(min(value, largest), of: largest, to: 4)) - 1]
    }

    /// `value / largest × steps`, rounded up: 1 to `steps` for a positive value. Sheds low bits of
    /// numbers so large that the product would not fit; no picture shows them.
    private static func scaled(_ value: Int128, of largest: Int128, to steps: Int128) -> Int128 {
        let usedBits = 128 - largest.leadingZeroBitCount
        let (small, whole) = usedBits > 96 ? (value >> 64, largest >> 64) : (value, largest)
        let result = (small * steps + whole - 1) / whole
        return min(max(1, result), steps)
    }

    private static func saturatingSum(_ left: Int128, _ right: Int128) -> Int128 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }
}
