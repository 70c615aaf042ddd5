/// Decimal numbers as exports write them, read without floating point.
enum DecimalText {
    /// The number times ten to the power of `decimals`, rounded towards zero. Takes a sign, a
    /// point and an exponent (`5.7e-05`); nil for anything else and for what is out of range.
    static func scaled(_ text: String, decimals: Int) -> Int128? {
        var bytes = text.utf8[...]
        let isNegative = bytes.first == UInt8(ascii: "-")
        if isNegative || bytes.first == UInt8(ascii: "+") { bytes = bytes.dropFirst() }
        var digits: [UInt8] = []
        var point: Int?
        var exponent = 0
        while let byte = bytes.first {
            bytes = bytes.dropFirst()
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digits.append(byte - UInt8(ascii: "0"))
            case UInt8(ascii: ".") where point == nil: point = digits.count
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                guard let power = Int(String(decoding: bytes, as: UTF8.self)),
                    (-200...200).contains(power)
                else { return nil }
                exponent = power
                bytes = bytes.suffix(0)
            default: return nil
            }
        }
        guard !digits.isEmpty, digits.count <= 200 else { return nil }
        let kept = (point ?? digits.count) + exponent + decimals
        var value: Int128 = 0
        for index in 0..<max(0, kept) {
            let digit = index < digits.count ? Int128(digits[index]) : 0
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            guard !overflow, product < .max - 9 else { return nil }
            value = product + digit
        }
        return isNegative ? -value : value
    }

    /// A whole number that is not negative, also written as `3.0`; nil for anything else.
    static func count(_ text: String) -> Int128? {
        guard let thousands = scaled(text, decimals: 3), thousands >= 0, thousands % 1000 == 0
        else { return nil }
        return thousands / 1000
    }
}
