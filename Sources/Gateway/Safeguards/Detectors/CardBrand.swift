/// A scheme of payment cards, told by a number's first digits and its length.
enum CardBrand: CaseIterable {
    case visa, mastercard, americanExpress, discover, diners, jcb, unionPay, mir, maestro

    /// The brand of a number; nil when no card has such a number.
    static func of(_ digits: [Int]) -> CardBrand? {
        guard digits.count >= 12 else { return nil }
        let first = digits.prefix(6).reduce(0) { $0 * 10 + $1 }
        return allCases.first { brand in
            brand.lengths.contains(digits.count)
                && brand.prefixes.contains { $0.contains(first) }
        }
    }

    /// How many digits its numbers have.
    var lengths: Set<Int> {
        switch self {
        case .visa: [13, 16, 19]
        case .mastercard, .mir: [16]
        case .americanExpress: [15]
        case .discover, .jcb, .unionPay: [16, 17, 18, 19]
        case .diners: [14, 15, 16, 17, 18, 19]
        case .maestro: [12, 13, 14, 15, 16, 17, 18, 19]
        }
    }

    /// Its numbers' first six digits (ISO/IEC 7812).
    var prefixes: [ClosedRange<Int>] {
        switch self {
        case .visa: [400_000...499_999]
        case .mastercard: [510_000...559_999, 222_100...272_099]
        case .americanExpress: [340_000...349_999, 370_000...379_999]
        case .discover: [601_100...601_199, 644_000...659_999]
        case .diners: [300_000...305_999, 309_500...309_599, 360_000...369_999, 380_000...399_999]
        case .jcb: [352_800...358_999]
        case .unionPay: [620_000...629_999, 810_000...817_199]
        case .mir: [220_000...220_499]
        case .maestro: [500_000...509_999, 560_000...589_999, 630_000...639_999, 670_000...679_999]
        }
    }

    /// Whether so many numbers look like this brand's that a word must say so: one number in ten
    /// passes Luhn, and here the first digits and the length rule out too few.
    func needsContext(_ length: Int) -> Bool {
        switch self {
        case .maestro: length != 16
        case .visa: length == 13
        case .diners: length != 14
        default: length > 16
        }
    }
}
