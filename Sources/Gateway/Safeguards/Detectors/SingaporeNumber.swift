/// Singaporean identity numbers: a letter for the series, seven digits and a letter modulo 11.
enum SingaporeNumber {
    /// Whether nine characters are one.
    static func isValid(_ characters: [UInt8]) -> Bool {
        guard characters.count == 9, characters[1..<8].allSatisfy(ASCII.isDigit) else {
            return false
        }
        let digits = characters[1..<8].map { Int($0) - 0x30 }
        return letter(series: characters[0], digits: digits) == characters[8]
    }

    /// The last letter; nil when there is no such series.
    static func letter(series: UInt8, digits: [Int]) -> UInt8? {
        let sum = DigitChecks.weighted(digits, by: [2, 7, 6, 5, 4, 3, 2])
        switch Character(UnicodeScalar(series)) {
        case "S": return Array("JZIHGFEDCBA".utf8)[sum % 11]
        case "T": return Array("JZIHGFEDCBA".utf8)[(sum + 4) % 11]
        case "F": return Array("XWUTRQPNMLK".utf8)[sum % 11]
        case "G": return Array("XWUTRQPNMLK".utf8)[(sum + 4) % 11]
        case "M": return Array("KLJNPQRTUWX".utf8)[10 - (sum + 3) % 11]
        default: return nil
        }
    }
}
