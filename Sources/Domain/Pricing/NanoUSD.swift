/// Money in whole billionths of a US dollar. Never a floating-point number.
public struct NanoUSD: Sendable, Hashable, Comparable {
    /// Billionths of a dollar.
    public let rawValue: Int64

    /// Makes an amount of billionths of a dollar.
    public init(rawValue: Int64) { self.rawValue = rawValue }

    /// Nothing.
    public static let zero = NanoUSD(rawValue: 0)

    /// The smaller comes first.
    public static func < (left: NanoUSD, right: NanoUSD) -> Bool { left.rawValue < right.rawValue }

    /// Reads a decimal number of dollars such as `2.50`, exactly; nil when it has more than nine
    /// decimals, a sign, or does not fit.
    public init?(dollars text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = parts.first, !whole.isEmpty,
            whole.utf8.allSatisfy({ (48...57).contains($0) }), let dollars = Int64(whole)
        else { return nil }
        var fraction: Int64 = 0
        if parts.count == 2 {
            let digits = parts[1]
            guard (1...9).contains(digits.utf8.count),
                digits.utf8.allSatisfy({ (48...57).contains($0) }), let value = Int64(digits)
            else { return nil }
            fraction = (digits.utf8.count..<9).reduce(value) { number, _ in number * 10 }
        }
        let (product, overflow) = dollars.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflow2) = product.addingReportingOverflow(fraction)
        guard !overflow, !overflow2 else { return nil }
        rawValue = sum
    }
}

extension NanoUSD: CustomStringConvertible {
    /// Dollars with the decimals that are needed and at least two: `0.0000013`, `2.50`.
    public var description: String {
        let magnitude = rawValue.magnitude
        var fraction = String(magnitude % 1_000_000_000)
        fraction = String(repeating: "0", count: 9 - fraction.utf8.count) + fraction
        while fraction.utf8.count > 2, fraction.hasSuffix("0") { fraction.removeLast() }
        return "\(rawValue < 0 ? "-" : "")\(magnitude / 1_000_000_000).\(fraction)"
    }
}
