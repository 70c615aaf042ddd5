/// Finds the numbers of payment cards: a brand's first digits and length, a way people group them,
/// and Luhn's digit.
enum CardDetector {
    private static let shapes: [[Int]] = [
        [4, 4, 4, 4], [4, 6, 5], [4, 6, 4], [4, 4, 4, 4, 3], [4, 4, 4, 1],
    ]

    static func find(in text: ScannedText, at index: Int, into found: inout [EntityFinding]) {
        let token = text.tokens[index]
        if token.count >= 12, token.count <= 19 {
            let digits = text.word(index).map { Int($0) - 0x30 }
            check(digits, in: text, from: index, through: index, into: &found)
        } else if token.count == 4 {
            for shape in shapes {
                guard let number = text.groups(shape, from: index, by: [.space, .hyphen, .dot])
                else { continue }
                check(number.digits, in: text, from: index, through: number.last, into: &found)
            }
        }
    }

    private static func check(
        _ digits: [Int], in text: ScannedText, from first: Int, through last: Int,
        into found: inout [EntityFinding]
    ) {
        guard let brand = CardBrand.of(digits), DigitChecks.luhn(digits),
            text.isIsolated(first, through: last)
        else { return }
        if brand.needsContext(digits.count) {
            guard text.context(of: first, through: last).contains(.card) else { return }
        }
        found.append(text.finding(.creditCard, first, through: last, score: 100))
    }
}
