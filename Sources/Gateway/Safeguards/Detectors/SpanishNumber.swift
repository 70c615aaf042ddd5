/// Spanish identity numbers: the letter is the remainder by 23.
enum SpanishNumber {
    private static let letters = Array("TRWAGMYFPDXBNJZSQVHLCKE".utf8)

    /// What nine characters are; nil when the letter is wrong or small.
    static func entity(_ characters: [UInt8]) -> EntityType? {
        guard characters.count == 9, letter(for: Array(characters.prefix(8))) == characters[8]
        else { return nil }
        return ASCII.isDigit(characters[0]) ? .esNIF : .esNIE
    }

    /// The letter of eight characters, of which the first may be X, Y or Z, counted as 0, 1 and 2;
    /// nil when they are no such number.
    static func letter(for characters: [UInt8]) -> UInt8? {
        var number = 0
        for (index, byte) in characters.enumerated() {
            if ASCII.isDigit(byte) {
                number = number * 10 + Int(byte) - 0x30
            } else if index == 0, byte >= 0x58, byte <= 0x5A {
                number = Int(byte) - 0x58
            } else {
                return nil
            }
        }
        return number == 0 ? nil : letters[number % 23]
    }
}
