/// How a value is written, apart from which value it is: a card's number is the same with spaces
/// and without.
enum ValueShape {
    /// The kinds whose separators mean nothing.
    private static let numbers: Set<EntityType> = [
        .phoneNumber, .creditCard, .ibanCode, .usSSN, .usITIN, .usPassport, .ukNHS, .ukNINO,
        .ukPassport, .dePassport, .itPassport, .deTaxID, .esNIF, .esNIE, .frNIR, .itFiscalCode,
        .plPESEL, .fiIdentityCode, .sePersonnummer, .sgNRIC, .inAadhaar,
    ]

    /// Whether separators and the size of letters mean nothing in a value of that kind.
    static func isNumber(_ entity: EntityType) -> Bool { numbers.contains(entity) }

    /// The value apart from its writing: of a number its letters and digits in capitals, of an
    /// e-mail address small letters.
    static func canonical(_ value: [UInt8], of entity: EntityType) -> [UInt8] {
        if isNumber(entity) { return value.filter(ASCII.isAlphanumeric).map(ASCII.upper) }
        return entity == .emailAddress ? value.map(ASCII.lower) : value
    }

    /// The letters and digits of `characters` in the writing of `value`, which has as many.
    static func poured(_ characters: [UInt8], into value: [UInt8]) -> [UInt8] {
        var rest = characters.filter(ASCII.isAlphanumeric)[...]
        return value.map { byte in
            guard ASCII.isAlphanumeric(byte), let next = rest.popFirst() else { return byte }
            if ASCII.isLower(byte) { return ASCII.lower(next) }
            return ASCII.isUpper(byte) ? ASCII.upper(next) : next
        }
    }

    /// Random characters of the same classes; letters beyond ASCII become small ones of it.
    static func random(
        like value: [UInt8], using random: inout some RandomNumberGenerator
    ) -> [UInt8] {
        String(decoding: value, as: UTF8.self).flatMap { character -> [UInt8] in
            if let byte = character.asciiValue { return [random.character(like: byte)] }
            return character.isLetter
                ? [random.character(like: 0x61)]
                : character.isNumber ? [random.character(like: 0x30)] : Array(character.utf8)
        }
    }
}
