/// Finds the national numbers with letters in them: Spanish, French, Italian, Finnish,
/// Singaporean.
enum LetteredDetector {
    static func find(in text: ScannedText, at index: Int, into found: inout [EntityFinding]) {
        findSpanish(in: text, at: index, into: &found)
        findFrench(in: text, at: index, into: &found)
        findItalian(in: text, at: index, into: &found)
        findFinnish(in: text, at: index, into: &found)
        if text.tokens[index].count == 9, SingaporeNumber.isValid(Array(text.word(index))) {
            found.append(text.finding(.sgNRIC, index, through: index, score: 95))
        }
    }

    /// A DNI, `12345678Z`, `12345678-Z` or `12.345.678-Z`, or an NIE, `X1234567L` or `X-1234567-L`.
    private static func findSpanish(
        in text: ScannedText, at index: Int, into found: inout [EntityFinding]
    ) {
        let length = text.tokens[index].count
        var number: CompactNumber?
        if [9, 8, 1].contains(length) {
            number = text.compact(9, from: index, by: [.hyphen])
        } else if length == 2,
            let digits = text.groups([2, 3, 3], from: index, by: [.dot]),
            text.tokens[digits.last].gap == .hyphen, digits.last + 1 < text.tokens.count,
            text.tokens[digits.last + 1].count == 1
        {
            number = CompactNumber(
                characters: digits.characters + text.word(digits.last + 1), last: digits.last + 1,
                separator: .hyphen)
        }
        guard let number, let entity = SpanishNumber.entity(number.characters),
            text.isIsolated(index, through: number.last)
        else { return }
        found.append(text.finding(entity, index, through: number.last, score: 95))
    }

    /// Fifteen digits, of which the department may be 2A or 2B, in one piece, before the key or in
    /// the groups of the card.
    private static func findFrench(
        in text: ScannedText, at index: Int, into found: inout [EntityFinding]
    ) {
        guard [1, 13, 15].contains(text.tokens[index].count),
            let number = text.compact(15, from: index, by: [.space]),
            FrenchNumber.isValid(number.characters), text.isIsolated(index, through: number.last)
        else { return }
        found.append(text.finding(.frNIR, index, through: number.last, score: 100))
    }

    private static func findItalian(
        in text: ScannedText, at index: Int, into found: inout [EntityFinding]
    ) {
        guard [16, 6, 3].contains(text.tokens[index].count),
            let number = text.compact(16, from: index, by: [.space]),
            ItalianFiscalCode.isValid(number.characters)
        else { return }
        found.append(text.finding(.itFiscalCode, index, through: number.last, score: 100))
    }

    /// `131052-308T`; the sign before the last four tells the century and may be a letter.
    private static func findFinnish(
        in text: ScannedText, at index: Int, into found: inout [EntityFinding]
    ) {
        let token = text.tokens[index]
        var last = index
        if token.count == 6, token.kind == .digits, index + 1 < text.tokens.count {
            let sign = text.byte(token.end)
            guard sign == 0x2B || sign == 0x2D, text.tokens[index + 1].start == token.end + 1,
                text.tokens[index + 1].count == 4
            else { return }
            last = index + 1
        } else if token.count != 11 {
            return
        }
        guard FinnishCode.isValid(Array(text.bytes[token.start..<text.tokens[last].end])) else {
            return
        }
        found.append(text.finding(.fiIdentityCode, index, through: last, score: 100))
    }
}
