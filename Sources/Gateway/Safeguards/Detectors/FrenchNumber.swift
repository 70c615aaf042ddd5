/// French social security numbers: sex, year, month, department, commune, order and a key modulo 97.
enum FrenchNumber {
    /// Whether fifteen characters are one.
    static func isValid(_ characters: [UInt8]) -> Bool {
        let digits = characters.map { Int($0) - 0x30 }
        guard characters.count == 15, [1, 2, 3, 4, 7, 8].contains(digits[0]),
            let key = key(for: Array(characters.prefix(13))),
            characters[13...].allSatisfy(ASCII.isDigit)
        else { return false }
        let month = digits[3] * 10 + digits[4]
        let isMonth = (1...12).contains(month) || (20...42).contains(month) || month >= 50
        return isMonth && digits[13] * 10 + digits[14] == key
    }

    /// The key of the first thirteen characters; nil when they are no number. Corsica's departments
    /// 2A and 2B count as 19 and 18.
    static func key(for characters: [UInt8]) -> Int? {
        var characters = characters
        if characters[5] == 0x32, characters[6] == 0x41 || characters[6] == 0x42 {
            let isNorth = characters[6] == 0x42
            characters[5] = 0x31
            characters[6] = isNorth ? 0x38 : 0x39
        }
        guard characters.allSatisfy(ASCII.isDigit) else { return nil }
        let department = Int(characters[5] - 0x30) * 10 + Int(characters[6] - 0x30)
        guard department >= 1, department != 96 else { return nil }
        let number = characters.reduce(0) { $0 * 10 + Int($1) - 0x30 }
        return 97 - number % 97
    }
}
