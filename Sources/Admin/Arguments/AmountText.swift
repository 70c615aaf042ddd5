/// Whole numbers as people type them.
enum AmountText {
    /// Reads `1000000`, `1_000_000`, `1000k`, `2M` or `3G`; nil for a sign, a fraction, another
    /// letter, misplaced underscores, or more than 64 bits hold.
    static func parse(_ text: some StringProtocol) -> Int64? {
        var digits = Substring(text)
        var factor: Int64 = 1
        switch digits.last {
        case "k", "K": factor = 1_000
        case "M": factor = 1_000_000
        case "G": factor = 1_000_000_000
        default: break
        }
        if factor > 1 { digits.removeLast() }
        let groups = digits.split(separator: "_", omittingEmptySubsequences: false)
        guard groups.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(isDigit) }),
            let number = Int64(groups.joined())
        else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }

    /// What `parse` takes, for error messages.
    static let accepted = "a whole number such as 1000000, 1_000_000, 1000k or 2M"

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
}
