/// Italian fiscal codes: the last letter checks the fifteen characters before it (decree of the
/// Ministry of Finance of 23 December 1976).
enum ItalianFiscalCode {
    /// What a character counts at an odd place, as 0 to 9 and A to J, then K to Z.
    private static let odd = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ]
    private static let monthLetters = Set("ABCDEHLMPRST".utf8)
    /// The letters that stand for digits when two people would share a code.
    private static let digitLetters = Array("LMNPQRSTUV".utf8)
    private static let digitPlaces = [6, 7, 9, 10, 12, 13, 14]

    /// Whether sixteen characters, of either size, are one.
    static func isValid(_ characters: [UInt8]) -> Bool {
        guard characters.count == 16 else { return false }
        let upper = characters.map(ASCII.upper)
        for (place, byte) in upper.enumerated() {
            if digitPlaces.contains(place) {
                guard digit(byte) != nil else { return false }
            } else {
                guard ASCII.isUpper(byte) else { return false }
            }
        }
        guard monthLetters.contains(upper[8]), let tens = digit(upper[9]),
            let ones = digit(upper[10])
        else { return false }
        // Forty is added to a woman's day of birth.
        let day = (tens * 10 + ones) % 40
        return day >= 1 && day <= 31 && letter(for: Array(upper.prefix(15))) == upper[15]
    }

    /// The last letter of fifteen letters and digits.
    static func letter(for characters: [UInt8]) -> UInt8 {
        var sum = 0
        for (place, byte) in characters.enumerated() {
            let value = Int(ASCII.isDigit(byte) ? byte - 0x30 : byte - 0x41)
            // Places count from one, so the first is odd.
            sum += place % 2 == 0 ? odd[value] : value
        }
        return UInt8(0x41 + sum % 26)
    }

    private static func digit(_ byte: UInt8) -> Int? {
        ASCII.isDigit(byte) ? Int(byte) - 0x30 : digitLetters.firstIndex(of: byte)
    }
}
