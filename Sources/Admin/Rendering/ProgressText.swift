import Domain

/// How far a long command has come, in one line.
enum ProgressText {
    /// A bar, the share, the rows, their rate and the time that is left, in at most `width`
    /// columns; parts that do not fit are left out.
    ///
    /// - Parameter total: as far as is known; where there are more rows than that, the bar is full.
    static func line(done: Int64, of total: Int64, elapsed: Duration, width: Int) -> String {
        let rate = done * 1000 / max(1000, elapsed.microseconds / 1000)
        let rows = NumberText.grouped(Int128(done))
        guard total > 0 else { return "\(rows) rows" }
        let bar = Chart.bar(Int128(min(done, total)), of: Int128(total), width: 20)
        var parts = [
            DisplayWidth.pad(bar, to: 20, alignedAtEnd: false)
                + " \(min(100, done * 100 / max(1, total))) %",
            "\(rows) of \(NumberText.grouped(Int128(max(total, done)))) rows",
            "\(NumberText.grouped(Int128(rate)))/s",
        ]
        if rate > 0, total > done { parts.append(left((total - done) / rate)) }
        while parts.count > 1, DisplayWidth.of(parts.joined(separator: "  ")) > width {
            parts.removeLast()
        }
        return parts.joined(separator: "  ")
    }

    private static func left(_ seconds: Int64) -> String {
        if seconds < 60 { return "\(seconds)s left" }
        if seconds < 3600 { return "\(seconds / 60)m\(seconds % 60)s left" }
        return "\(seconds / 3600)h\(seconds / 60 % 60)m left"
    }
}
