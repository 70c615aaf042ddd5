/// Finds the national numbers of digits alone that carry a check digit: German, Polish, Swedish,
/// Indian.
enum NationalDetector {
    static func find(in text: ScannedText, at index: Int, into found: inout [EntityFinding]) {
        switch text.tokens[index].count {
        case 2: findTaxID(in: text, at: index, into: &found)
        case 4: findAadhaar(in: text, at: index, into: &found)
        case 6, 8, 10: findPersonnummer(in: text, at: index, into: &found)
        case 11:
            findTaxID(in: text, at: index, into: &found)
            findPESEL(in: text, at: index, into: &found)
        case 12:
            findAadhaar(in: text, at: index, into: &found)
            findPersonnummer(in: text, at: index, into: &found)
        default: break
        }
    }

    private static func findTaxID(
        in text: ScannedText, at index: Int, into found: inout [EntityFinding]
    ) {
        guard
            let number = text.groups([2, 3, 3, 3], from: index, by: [.space, .slash])
                ?? text.groups([11], from: index, by: []),
            isTaxID(number.digits), text.isIsolated(index, through: number.last)
        else { return }
        let isCalledSo = text.context(of: index, through: number.last).contains(.tax)
        let score = isCalledSo ? 100 : 80
        found.append(text.finding(.deTaxID, index, through: number.last, score: score))
    }

    /// Whether eleven digits are a German tax id: of the first ten exactly one digit stands twice or
    /// thrice and each other once at most; the last is the check digit.
    static func isTaxID(_ digits: [Int]) -> Bool {
        guard digits[0] != 0 else { return false }
        var counts = [Int](repeating: 0, count: 10)
        for digit in digits.prefix(10) { counts[digit] += 1 }
        guard counts.count(where: { $0 == 2 || $0 == 3 }) == 1, counts.allSatisfy({ $0 <= 3 })
        else { return false }
        return DigitChecks.mod11And10(digits.prefix(10)) == digits[10]
    }

    private static func findPESEL(
        in text: ScannedText, at index: Int, into found: inout [EntityFinding]
    ) {
        let digits = text.word(index).map { Int($0) - 0x30 }
        guard isPESEL(digits), text.isIsolated(index, through: index) else { return }
        let isCalledSo = text.context(of: index, through: index).contains(.pesel)
        found.append(text.finding(.plPESEL, index, through: index, score: isCalledSo ? 100 : 70))
    }

    /// Whether eleven digits begin with a birth date, whose month tells the century, and end with
    /// the check digit.
    static func isPESEL(_ digits: [Int]) -> Bool {
        let month = (digits[2] * 10 + digits[3]) % 20
        let day = digits[4] * 10 + digits[5]
        guard Calendar.isDay(day, ofMonth: month) else { return false }
        return peselDigit(for: digits) == digits[10]
    }

    /// The check digit of the first ten digits.
    static func peselDigit(for digits: [Int]) -> Int {
        let sum = DigitChecks.weighted(digits.prefix(10), by: [1, 3, 7, 9, 1, 3, 7, 9, 1, 3])
        return (10 - sum % 10) % 10
    }

    private static func findAadhaar(
        in text: ScannedText, at index: Int, into found: inout [EntityFinding]
    ) {
        guard
            let number = text.groups([4, 4, 4], from: index, by: [.space, .hyphen])
                ?? text.groups([12], from: index, by: []),
            number.digits[0] >= 2, DigitChecks.verhoeff(number.digits),
            text.isIsolated(index, through: number.last)
        else { return }
        let isCalledSo = text.context(of: index, through: number.last).contains(.aadhaar)
        // Twelve digits of a longer number in fours, such as a card's, are not one of these.
        let isPart =
            number.separator == .space
            && (isFour(text, index - 1, before: true)
                || isFour(text, number.last + 1, before: false))
        guard isCalledSo || number.separator != nil && !isPart else { return }
        let score = isCalledSo ? 100 : 75
        found.append(text.finding(.inAadhaar, index, through: number.last, score: score))
    }

    private static func isFour(_ text: ScannedText, _ index: Int, before: Bool) -> Bool {
        guard text.tokens.indices.contains(index) else { return false }
        let token = text.tokens[index]
        let gap = before ? token.gap : text.tokens[index - 1].gap
        return gap == .space && token.kind == .digits && token.count == 4
    }

    private static func findPersonnummer(
        in text: ScannedText, at index: Int, into found: inout [EntityFinding]
    ) {
        guard
            let number = text.groups([6, 4], from: index, by: [.hyphen])
                ?? text.groups([8, 4], from: index, by: [.hyphen])
                ?? text.groups([10], from: index, by: []) ?? text.groups([12], from: index, by: []),
            isPersonnummer(Array(number.digits.suffix(10))),
            text.isIsolated(index, through: number.last)
        else { return }
        if number.digits.count == 12 {
            guard [18, 19, 20].contains(number.digits[0] * 10 + number.digits[1]) else { return }
        }
        let isCalledSo = text.context(of: index, through: number.last).contains(.swedish)
        guard isCalledSo || number.separator != nil else { return }
        let score = isCalledSo ? 100 : 80
        found.append(text.finding(.sePersonnummer, index, through: number.last, score: score))
    }

    /// Whether ten digits begin with a birth date (a coordination number adds 60 to the day) and end
    /// with Luhn's digit.
    static func isPersonnummer(_ digits: [Int]) -> Bool {
        let day = (digits[4] * 10 + digits[5]) % 60
        return Calendar.isDay(day, ofMonth: digits[2] * 10 + digits[3]) && DigitChecks.luhn(digits)
    }
}
