/// Invented numbers of cards and bank accounts.
enum FakeNumber {
    /// A number of the same brand and length, with Luhn's digit.
    static func card(
        like digits: [UInt8], using random: inout some RandomNumberGenerator
    ) -> [UInt8]? {
        guard let brand = CardBrand.of(digits.map { Int($0) - 0x30 }) else { return nil }
        let prefix = FakeValue.padded(random.number(in: random.pick(brand.prefixes)), 6)
        let body = prefix + random.digits(digits.count - 7)
        return FakeValue.characters(body + [DigitChecks.luhnDigit(for: body)])
    }

    /// A number of the same country and shape, with right check digits. What a country checks
    /// within its own part is not made right.
    static func iban(
        like characters: [UInt8], using random: inout some RandomNumberGenerator
    ) -> [UInt8]? {
        guard characters.count > 4 else { return nil }
        let country = Array(characters.prefix(2))
        let account = characters.dropFirst(4).map { random.character(like: $0) }
        guard let rest = DigitChecks.mod97(country + [0x30, 0x30] + account) else { return nil }
        return country + FakeValue.characters(FakeValue.padded(98 - rest, 2)) + account
    }
}
