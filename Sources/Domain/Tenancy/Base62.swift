/// Base 62 with the digits `0-9A-Za-z`, most significant first, padded with zeros to a fixed width.
public enum Base62 {
    private static let digits = Array(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// The value of each byte as a digit, or 255.
    private static let values: [UInt8] = {
        var table = [UInt8](repeating: 255, count: 256)
        for (value, digit) in digits.enumerated() { table[Int(digit)] = UInt8(value) }
        return table
    }()

    /// Whether `byte` is one of the 62 digits.
    public static func isDigit(_ byte: UInt8) -> Bool { values[Int(byte)] != 255 }

    /// Writes `value` with `width` digits; traps when it does not fit, which only a wrong width can
    /// cause.
    public static func encode(_ value: UInt64, width: Int) -> String {
        var rest = value
        var text = [UInt8](repeating: digits[0], count: width)
        for index in stride(from: width - 1, through: 0, by: -1) {
            text[index] = digits[Int(rest % 62)]
            rest /= 62
        }
        precondition(rest == 0, "the number has more base-62 digits than the width given")
        return String(decoding: text, as: UTF8.self)
    }

    /// Writes big-endian `bytes` as one number with `width` digits (256 bits need 43).
    public static func encode(_ bytes: [UInt8], width: Int) -> String {
        var number = bytes
        var text = [UInt8](repeating: digits[0], count: width)
        for index in stride(from: width - 1, through: 0, by: -1) {
            var remainder = 0
            for position in number.indices {
                let value = remainder << 8 | Int(number[position])
                number[position] = UInt8(value / 62)
                remainder = value % 62
            }
            text[index] = digits[remainder]
        }
        precondition(
            number.allSatisfy { $0 == 0 }, "the bytes need more digits than the width given")
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads base-62 digits; nil for another character or a value past 64 bits.
    public static func decode(_ text: some Sequence<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for byte in text {
            let digit = values[Int(byte)]
            guard digit != 255 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 62)
            let (sum, overflow2) = product.addingReportingOverflow(UInt64(digit))
            guard !overflow, !overflow2 else { return nil }
            value = sum
        }
        return value
    }
}
