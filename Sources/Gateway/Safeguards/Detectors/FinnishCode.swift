/// Finnish personal identity codes: a birth date, a sign of the century, three digits and a check
/// character modulo 31.
enum FinnishCode {
    private static let characters = Array("0123456789ABCDEFHJKLMNPRSTUVWXY".utf8)
    private static let signs = Set("+-YXWVUABCDEF".utf8)

    /// Whether eleven characters are one.
    static func isValid(_ code: [UInt8]) -> Bool {
        guard code.count == 11, signs.contains(code[6]) else { return false }
        let number = code[0..<6] + code[7..<10]
        guard number.allSatisfy(ASCII.isDigit) else { return false }
        let digits = number.map { Int($0) - 0x30 }
        guard Calendar.isDay(digits[0] * 10 + digits[1], ofMonth: digits[2] * 10 + digits[3]),
            digits[6...].reduce(0, { $0 * 10 + $1 }) >= 2
        else { return false }
        return check(for: digits) == code[10]
    }

    /// The check character of the nine digits.
    static func check(for digits: [Int]) -> UInt8 {
        characters[digits.reduce(0) { $0 * 10 + $1 } % 31]
    }
}
