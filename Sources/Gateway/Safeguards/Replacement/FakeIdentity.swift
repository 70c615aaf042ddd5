/// Invented national numbers, with right check digits.
enum FakeIdentity {
    private static let consonants = Array("BCDFGLMNPRSTVZ".utf8)
    private static let germanLetters = Array("CFGHJKLMNPRTVWXYZ".utf8)

    /// A number of that kind as long as `old`; nil for a kind that is none of these.
    static func make(
        of entity: EntityType, like old: [UInt8], using random: inout some RandomNumberGenerator
    ) -> [UInt8]? {
        guard let first = old.first else { return nil }
        switch entity {
        case .usSSN:
            return american(area: random.number(in: 1...665), group: 1...99, using: &random)
        case .usITIN:
            return american(area: random.number(in: 900...999), group: 50...88, using: &random)
        case .ukNHS: return health(using: &random)
        case .ukNINO: return insurance(using: &random)
        case .deTaxID: return taxID(using: &random)
        case .esNIF, .esNIE: return spanish(first, using: &random)
        case .frNIR: return french(using: &random)
        case .itFiscalCode: return italian(using: &random)
        case .plPESEL: return pesel(using: &random)
        case .fiIdentityCode: return finnish(like: old, using: &random)
        case .sePersonnummer: return swedish(count: old.count, using: &random)
        case .sgNRIC: return singaporean(first, using: &random)
        case .inAadhaar:
            let body = [random.number(in: 2...9)] + random.digits(10)
            return FakeValue.characters(body + [DigitChecks.verhoeffDigit(for: body)])
        case .usPassport, .ukPassport, .itPassport:
            return old.map { random.character(like: $0) }
        case .dePassport:
            return old.enumerated().map { index, byte in
                if ASCII.isDigit(byte) { return random.character(like: byte) }
                return random.pick(index == 0 ? Array(germanLetters.prefix(6)) : germanLetters)
            }
        default: return nil
        }
    }

    private static func american(
        area: Int, group: ClosedRange<Int>, using random: inout some RandomNumberGenerator
    ) -> [UInt8] {
        FakeValue.characters(
            FakeValue.padded(area, 3) + FakeValue.padded(random.number(in: group), 2)
                + FakeValue.padded(random.number(in: 1...9999), 4))
    }

    /// In the range that the service never hands out: 999.
    private static func health(using random: inout some RandomNumberGenerator) -> [UInt8] {
        while true {
            let body = [9, 9, 9] + random.digits(6)
            if let digit = BritishDetector.healthDigit(for: body), body[3...] != [9, 9, 9, 9, 9, 9]
            {
                return FakeValue.characters(body + [digit])
            }
        }
    }

    private static func insurance(using random: inout some RandomNumberGenerator) -> [UInt8] {
        while true {
            let letters = [random.character(like: 0x41), random.character(like: 0x41)]
            let number =
                letters + FakeValue.characters(random.digits(6)) + [0x41 + UInt8(random.below(4))]
            if BritishDetector.isInsuranceNumber(number) { return number }
        }
    }

    /// Ten digits of which one stands twice, and the check digit.
    private static func taxID(using random: inout some RandomNumberGenerator) -> [UInt8] {
        var body = Array(0...9).shuffled(using: &random)
        // The first stays, so that it can be anything but zero.
        if body[0] == 0 { body.swapAt(0, random.number(in: 1...9)) }
        let dropped = random.number(in: 1...9)
        body[dropped] = body[(dropped + random.number(in: 1...9)) % 10]
        return FakeValue.characters(body + [DigitChecks.mod11And10(body)])
    }

    private static func spanish(
        _ first: UInt8, using random: inout some RandomNumberGenerator
    ) -> [UInt8]? {
        let start = ASCII.isDigit(first) ? random.number(in: 1...9) + 0x30 : Int(first)
        let body = [UInt8(start)] + FakeValue.characters(random.digits(7))
        return SpanishNumber.letter(for: body).map { body + [$0] }
    }

    private static func french(using random: inout some RandomNumberGenerator) -> [UInt8]? {
        let digits =
            [random.number(in: 1...2)] + random.digits(2)
            + FakeValue.padded(random.number(in: 1...12), 2)
            + FakeValue.padded(random.number(in: 21...95), 2)
            + FakeValue.padded(random.number(in: 1...989), 3)
            + FakeValue.padded(random.number(in: 1...999), 3)
        let body = FakeValue.characters(digits)
        return FrenchNumber.key(for: body).map {
            body + FakeValue.characters(FakeValue.padded($0, 2))
        }
    }

    private static func italian(using random: inout some RandomNumberGenerator) -> [UInt8] {
        let day = random.number(in: 1...28) + 40 * random.below(2)
        let body =
            (0..<6).map { _ in random.pick(consonants) } + FakeValue.characters(random.digits(2))
            + [random.pick(Array("ABCDEHLMPRST".utf8))]
            + FakeValue.characters(FakeValue.padded(day, 2)) + [
                random.pick(Array("ABCDEFGHIL".utf8))
            ]
            + FakeValue.characters(random.digits(3))
        return body + [ItalianFiscalCode.letter(for: body)]
    }

    /// A birth date: year, month and day in two digits each.
    private static func birthDate(using random: inout some RandomNumberGenerator) -> [Int] {
        random.digits(2) + FakeValue.padded(random.number(in: 1...12), 2)
            + FakeValue.padded(random.number(in: 1...28), 2)
    }

    /// One that is not by chance a German tax id, which as many digits may be as well.
    private static func pesel(using random: inout some RandomNumberGenerator) -> [UInt8] {
        while true {
            let body = birthDate(using: &random) + random.digits(4)
            let number = body + [NationalDetector.peselDigit(for: body)]
            if !NationalDetector.isTaxID(number) { return FakeValue.characters(number) }
        }
    }

    /// The sign of the century stays; a hyphen is not among the characters.
    private static func finnish(
        like old: [UInt8], using random: inout some RandomNumberGenerator
    ) -> [UInt8] {
        let birth = birthDate(using: &random)
        let digits =
            birth[4...5] + birth[2...3] + birth[0...1]
            + FakeValue.padded(random.number(in: 2...899), 3)
        let sign = old.count == 11 ? [old[6]] : []
        let characters = FakeValue.characters(Array(digits))
        return characters[..<6] + sign + characters[6...]
            + [FinnishCode.check(for: Array(digits))]
    }

    /// One that is not by chance a Finnish code, which as many digits may be as well.
    private static func swedish(
        count: Int, using random: inout some RandomNumberGenerator
    ) -> [UInt8] {
        let century = count == 12 ? [1, 9] : []
        while true {
            let body = birthDate(using: &random) + random.digits(3)
            let number = FakeValue.characters(body + [DigitChecks.luhnDigit(for: body)])
            if !FinnishCode.isValid(number[..<6] + [0x2D] + number[6...]) {
                return FakeValue.characters(century) + number
            }
        }
    }

    private static func singaporean(
        _ series: UInt8, using random: inout some RandomNumberGenerator
    ) -> [UInt8]? {
        let digits = random.digits(7)
        return SingaporeNumber.letter(series: series, digits: digits).map {
            [series] + FakeValue.characters(digits) + [$0]
        }
    }
}
