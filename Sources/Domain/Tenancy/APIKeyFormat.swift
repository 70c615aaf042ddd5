/// The form of an API key: `<prefix>_<key id>_<secret><crc>`, that is
/// `^[a-z][a-z0-9-]{1,15}_[0-9A-Za-z]{11}_[0-9A-Za-z]{49}$`, of which the last six digits are the
/// CRC-32 of all before them. The checksum turns typing errors and scanners' noise away before any
/// look-up.
public enum APIKeyFormat {
    /// What keys of the admin HTTP API begin with, and no API key does: people and scanners tell
    /// them apart.
    public static let adminPrefix = "turnpike-admin"

    /// The longest key that the form allows: 16 + 1 + 11 + 1 + 49 bytes.
    public static let maximumLength = 78

    /// Writes a key of its parts. `secret` is 32 random bytes; traps on a prefix that the form does
    /// not allow.
    public static func write(prefix: String, id: KeyID, secret: [UInt8]) -> APIKeySecret {
        precondition(isPrefix(Array(prefix.utf8)), "a key prefix is [a-z][a-z0-9-]{1,15}")
        precondition(secret.count == 32, "a key's secret is 256 bits")
        let body = "\(prefix)_\(id)_\(Base62.encode(secret, width: 43))"
        let checksum = Base62.encode(UInt64(CRC32.checksum(body.utf8)), width: 6)
        return APIKeySecret(bytes: Array((body + checksum).utf8))
    }

    /// Reads the key id out of a presented key; nil when the form or the checksum is wrong.
    public static func parse(_ bytes: borrowing [UInt8]) -> KeyID? {
        let count = bytes.count
        guard count <= maximumLength, count >= 2 + 1 + 11 + 1 + 49 else { return nil }
        let prefixEnd = count - 62
        guard bytes[prefixEnd] == UInt8(ascii: "_"), bytes[prefixEnd + 12] == UInt8(ascii: "_"),
            isPrefix(bytes[..<prefixEnd]),
            bytes[(prefixEnd + 1)..<(prefixEnd + 12)].allSatisfy(Base62.isDigit),
            bytes[(prefixEnd + 13)...].allSatisfy(Base62.isDigit),
            let stated = Base62.decode(bytes[(count - 6)...]),
            stated == UInt64(CRC32.checksum(bytes[..<(count - 6)])),
            let id = Base62.decode(bytes[(prefixEnd + 1)..<(prefixEnd + 12)])
        else { return nil }
        return KeyID(rawValue: id)
    }

    /// Whether `bytes` is `[a-z][a-z0-9-]{1,15}`.
    public static func isPrefix(_ bytes: some Collection<UInt8>) -> Bool {
        guard (2...16).contains(bytes.count), let first = bytes.first,
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first)
        else { return false }
        return bytes.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || byte == UInt8(ascii: "-")
        }
    }
}
