/// Invents values that pass the checks of their kind and, where a range is set aside for examples,
/// that belong to nobody.
enum FakeValue {
    /// A value of that kind; nil when there is no way to invent one, as for an analyzer's own kinds.
    ///
    /// A number comes back as its letters and digits, as many as `canonical` has; anything else as it
    /// is to be written. `value` is the value as it stands.
    static func make(
        of entity: EntityType, canonical: [UInt8], value: [UInt8],
        using random: inout some RandomNumberGenerator
    ) -> [UInt8]? {
        let fake: [UInt8]? =
            switch entity {
            case .emailAddress: FakeAddress.email(using: &random)
            case .url: FakeAddress.url(like: value, using: &random)
            case .ipAddress: FakeAddress.ip(like: value, using: &random)
            case .crypto: FakeCrypto.make(like: value, using: &random)
            case .dateTime: FakeDate.make(like: value, using: &random)
            case .person: FakeAddress.person(using: &random)
            case .location: Array(random.pick(FakeAddress.places).utf8)
            case .phoneNumber: FakePhone.make(like: value, using: &random)
            case .creditCard: FakeNumber.card(like: canonical, using: &random)
            case .ibanCode: FakeNumber.iban(like: canonical, using: &random)
            default: FakeIdentity.make(of: entity, like: canonical, using: &random)
            }
        guard let fake, !ValueShape.isNumber(entity) || fake.count == canonical.count else {
            return nil
        }
        return fake
    }

    /// The characters of digits.
    static func characters(_ digits: [Int]) -> [UInt8] { digits.map { UInt8($0 + 0x30) } }

    /// A number's digits, with zeros before it up to that width.
    static func padded(_ number: Int, _ width: Int) -> [Int] {
        var digits: [Int] = []
        var rest = number
        for _ in 0..<width {
            digits.insert(rest % 10, at: 0)
            rest /= 10
        }
        return digits
    }
}
