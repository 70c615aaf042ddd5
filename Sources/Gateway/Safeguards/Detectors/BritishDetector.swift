/// Finds numbers of the National Health Service and national insurance numbers.
enum BritishDetector {
    /// Ten digits: a telephone number may look alike, so the check digit is not enough; either a
    /// word says so or the digits stand in the groups that letters from the service use.
    static func findHealth(in text: ScannedText, at index: Int, into found: inout [EntityFinding]) {
        let length = text.tokens[index].count
        guard length == 3 || length == 10,
            let number = text.groups([3, 3, 4], from: index, by: [.space, .hyphen])
                ?? text.groups([10], from: index, by: []),
            isHealthNumber(number.digits), text.isIsolated(index, through: number.last)
        else { return }
        let context = text.context(of: index, through: number.last)
        if context.contains(.health) {
            found.append(text.finding(.ukNHS, index, through: number.last, score: 100))
        } else if number.separator == .space, [4, 6, 7, 9].contains(number.digits[0]),
            !context.contains(.phone)
        {
            found.append(text.finding(.ukNHS, index, through: number.last, score: 75))
        }
    }

    /// Whether the tenth digit is the check digit modulo 11 (NHS Data Dictionary).
    static func isHealthNumber(_ digits: [Int]) -> Bool {
        healthDigit(for: Array(digits.dropLast())) == digits.last && Set(digits).count > 1
    }

    /// The check digit of nine digits; nil when there is none, as for one number in eleven.
    static func healthDigit(for digits: [Int]) -> Int? {
        let rest = DigitChecks.weighted(digits, by: Array(stride(from: 10, to: 1, by: -1))) % 11
        return rest == 0 ? 0 : rest == 1 ? nil : 11 - rest
    }

    /// Two letters, six digits and a letter, in capitals, together or in pairs.
    static func findInsurance(
        in text: ScannedText, at index: Int, into found: inout [EntityFinding]
    ) {
        guard [2, 4, 8, 9].contains(text.tokens[index].count),
            let number = text.compact(9, from: index, by: [.space, .hyphen]),
            isInsuranceNumber(number.characters), text.isIsolated(index, through: number.last)
        else { return }
        found.append(text.finding(.ukNINO, index, through: number.last, score: 90))
    }

    private static let barredLetters = Set("DFIQUV".utf8)
    private static let barredPrefixes = Set(["BG", "GB", "NK", "KN", "TN", "NT", "ZZ"])

    /// Whether nine characters follow the tax office's rule (HMRC, NIM39110).
    static func isInsuranceNumber(_ characters: [UInt8]) -> Bool {
        guard ASCII.isUpper(characters[0]), ASCII.isUpper(characters[1]),
            !barredLetters.contains(characters[0]), !barredLetters.contains(characters[1]),
            characters[1] != Character("O").ascii,
            characters[2..<8].allSatisfy(ASCII.isDigit),
            characters[8] >= 0x41, characters[8] <= 0x44
        else { return false }
        return !barredPrefixes.contains(String(decoding: characters.prefix(2), as: UTF8.self))
    }
}
