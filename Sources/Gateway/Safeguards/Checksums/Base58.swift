import OpenSSL

/// The base 58 with a checksum that addresses of Bitcoin and its relatives are written in.
enum Base58 {
    private static let alphabet = Array(
        "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".utf8)

    private static let values: [UInt8?] = {
        var values = [UInt8?](repeating: nil, count: 256)
        for (value, byte) in alphabet.enumerated() { values[Int(byte)] = UInt8(value) }
        return values
    }()

    /// The version and the 20 bytes of an address; nil when it has other characters, another length
    /// or a wrong checksum.
    static func address(_ text: some Collection<UInt8>) -> [UInt8]? {
        // The number of 25 bytes, least significant first.
        var number = [UInt8](repeating: 0, count: 25)
        for byte in text {
            guard let value = values[Int(byte)] else { return nil }
            var carry = Int(value)
            for index in number.indices {
                carry += Int(number[index]) * 58
                number[index] = UInt8(carry & 0xFF)
                carry >>= 8
            }
            guard carry == 0 else { return nil }
        }
        let bytes = Array(number.reversed())
        // Each leading zero byte is written as one `1`, and nothing else is.
        guard
            text.prefix(while: { $0 == alphabet[0] }).count
                == bytes.prefix(while: { $0 == 0 }).count
        else { return nil }
        return Array(bytes.suffix(4)) == checksum(bytes.dropLast(4)) ? bytes.dropLast(4) : nil
    }

    /// The address of a version and 20 bytes.
    static func text(ofAddress bytes: [UInt8]) -> [UInt8] {
        var digits: [UInt8] = []
        for byte in bytes + checksum(bytes[...]) {
            var carry = Int(byte)
            for index in digits.indices {
                carry += Int(digits[index]) << 8
                digits[index] = UInt8(carry % 58)
                carry /= 58
            }
            while carry > 0 {
                digits.append(UInt8(carry % 58))
                carry /= 58
            }
        }
        let zeros = bytes.prefix { $0 == 0 }.count
        return [UInt8](repeating: alphabet[0], count: zeros)
            + digits.reversed().map { alphabet[Int($0)] }
    }

    private static func checksum(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        Array(SHA256.hash(SHA256.hash(Array(bytes))).prefix(4))
    }
}
