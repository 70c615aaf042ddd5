import Domain

/// The parser of API keys, and of the ids that stand in addresses and commands.
enum KeyTarget: FuzzTarget {
    private static let tailDigits = 62
    private static let secretDigits = 43

    static func run(_ input: [UInt8]) {
        check(input)
        // A checksum is never hit by chance: the same bytes with the right one.
        if input.count > 6 {
            let body = input.dropLast(6)
            let checksum = Base62.encode(UInt64(CRC32.checksum(body)), width: 6)
            check(Array(body) + Array(checksum.utf8))
        }
        checkIDs(String(decoding: input, as: UTF8.self))
    }

    private static func check(_ bytes: [UInt8]) {
        guard let id = APIKeyFormat.parse(bytes) else { return }
        Property.require(
            bytes.count <= APIKeyFormat.maximumLength, "a key is longer than the form allows")
        let start = bytes.count - tailDigits
        Property.require(
            Array(id.description.utf8) == Array(bytes[(start + 1)..<(start + 12)]),
            "a key's id does not print as it was read")
        // 43 digits reach a little further than 256 bits, which no minted key does.
        let digits = bytes[(start + 13)..<(start + 13 + secretDigits)]
        guard let secret = number(digits) else { return }
        let written = APIKeyFormat.write(
            prefix: String(decoding: bytes[..<start], as: UTF8.self), id: id, secret: secret)
        let isSame = written.withBytes { $0 == bytes }
        Property.require(isSame, "a key that was read does not print to the same bytes")
    }

    /// The 32 bytes of a number of base-62 digits, highest first; nil when it needs more.
    private static func number(_ digits: ArraySlice<UInt8>) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 32)
        for digit in digits {
            guard let value = Base62.decode([digit]) else { return nil }
            var carry = Int(value)
            for index in bytes.indices.reversed() {
                carry += Int(bytes[index]) * 62
                bytes[index] = UInt8(truncatingIfNeeded: carry)
                carry >>= 8
            }
            if carry > 0 { return nil }
        }
        return bytes
    }

    private static func checkIDs(_ text: String) {
        if let id = KeyID(text) {
            Property.require(id.description == text, "a key id does not print as it was read")
        }
        if let id = RequestID(text) {
            Property.require(
                id.description == text.lowercased(), "a request id does not print as it was read")
        }
    }
}
