/// Numbers as people read them.
enum NumberText {
    /// Groups the digits by three: `1,234,567`.
    static func grouped(_ number: Int128) -> String {
        let digits = Array(String(number.magnitude))
        var text = number < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return text
    }

    /// Dollars of whole billionths, exactly, with the decimals that are needed and at least two:
    /// `2.50`.
    static func dollars(nanoUSD: Int128) -> String {
        dollars(nanoUSD: nanoUSD, decimals: neededDecimals(nanoUSD: nanoUSD), grouping: false)
    }

    /// Dollars with exactly `decimals` decimals (0 to 9); decimals that are not shown must be zero.
    static func dollars(nanoUSD: Int128, decimals: Int, grouping: Bool) -> String {
        let magnitude = Int128(clamping: nanoUSD.magnitude)
        let (whole, rest) = magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        let fraction = String(rest)
        let digits = String(repeating: "0", count: 9 - fraction.utf8.count) + fraction
        let units = grouping ? grouped(whole) : String(whole)
        return (nanoUSD < 0 ? "-" : "") + units
            + (decimals > 0 ? "." + digits.prefix(decimals) : "")
    }

    /// The decimals that show an amount exactly, at least two.
    static func neededDecimals(nanoUSD: Int128) -> Int {
        var rest = nanoUSD.magnitude % 1_000_000_000
        var decimals = 9
        while decimals > 2, rest % 10 == 0 {
            rest /= 10
            decimals -= 1
        }
        return decimals
    }
}
