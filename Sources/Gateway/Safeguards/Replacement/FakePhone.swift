/// Invented telephone numbers, in the ranges that are set aside for fiction where a country has one:
/// 555-0100 to 555-0199 in North America, 07700 900 in Britain. Others keep their country and first
/// digit.
enum FakePhone {
    /// The digits of a number like `value`.
    static func make(
        like value: [UInt8], using random: inout some RandomNumberGenerator
    ) -> [UInt8] {
        let digits = value.filter(ASCII.isDigit)
        if value.first == 0x2B {
            return international(digits, exit: 0, using: &random)
        }
        if digits.starts(with: [0x30, 0x30]), digits.count > 9 {
            return international(digits, exit: 2, using: &random)
        }
        if digits.first == 0x30 { return national(digits, using: &random) }
        if digits.count == 11, digits.first == 0x31 {
            return [0x31] + american(using: &random)
        }
        if digits.count == 10 { return american(using: &random) }
        return [0x32 + UInt8(random.below(8))] + rest(of: digits, from: 1, using: &random)
    }

    private static func american(using random: inout some RandomNumberGenerator) -> [UInt8] {
        var area = random.number(in: 200...989)
        if area % 100 == 11 { area += 1 }
        return FakeValue.characters(
            FakeValue.padded(area, 3) + [5, 5, 5]
                + FakeValue.padded(random.number(in: 100...199), 4))
    }

    private static func international(
        _ digits: [UInt8], exit: Int, using random: inout some RandomNumberGenerator
    ) -> [UInt8] {
        let number = Array(digits.dropFirst(exit))
        let code = PhoneCountries.codeLength(number)
        let start = Array(digits.prefix(exit + code))
        let inner = Array(number.dropFirst(code))
        if start.last == 0x31, code == 1, inner.count == 10 {
            return start + american(using: &random)
        }
        if number.starts(with: [0x34, 0x34, 0x37]), inner.count == 10 {
            return start + national([0x30] + inner, using: &random).dropFirst()
        }
        // A "(0)" stays, and so does the digit that tells a mobile number from another.
        let kept = inner.prefix(while: { $0 == 0x30 }).count + 1
        return start + inner.prefix(kept) + rest(of: inner, from: kept, using: &random)
    }

    private static func national(
        _ digits: [UInt8], using random: inout some RandomNumberGenerator
    ) -> [UInt8] {
        if digits.starts(with: [0x30, 0x37]), digits.count == 11 {
            return Array("07700900".utf8) + FakeValue.characters(random.digits(3))
        }
        return digits.prefix(2) + rest(of: digits, from: 2, using: &random)
    }

    private static func rest(
        of digits: [UInt8], from start: Int, using random: inout some RandomNumberGenerator
    ) -> [UInt8] {
        FakeValue.characters(random.digits(max(0, digits.count - start)))
    }
}
