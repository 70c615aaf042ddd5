/// The part of the ledger that holds an organization with all its rows (0 to 255): the first column
/// of every key in the database, so that a Postgres that shards can keep an organization on one
/// worker.
public struct Shard: Sendable, Hashable {
    /// 0 to 255.
    public let rawValue: Int16

    /// Makes a shard; traps outside 0...255, which no stored row and no parsed key can produce.
    public init(rawValue: Int16) {
        precondition((0...255).contains(rawValue), "a shard is 0 to 255")
        self.rawValue = rawValue
    }
}

/// Names an organization (a tenant). The organization `default` has the id 1.
public struct OrganizationID: Sendable, Hashable {
    /// The number stored in the ledger.
    public let rawValue: Int64

    /// Makes an id of the number stored in the ledger.
    public init(rawValue: Int64) { self.rawValue = rawValue }

    /// The organization that exists from the first migration.
    public static let `default` = OrganizationID(rawValue: 1)

    /// The shard of the organization: its id, mixed (SplitMix64's finalizer), modulo 256.
    public var shard: Shard {
        var mixed = UInt64(bitPattern: rawValue)
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        mixed ^= mixed >> 31
        return Shard(rawValue: Int16(mixed % 256))
    }
}

/// Names a team.
public struct TeamID: Sendable, Hashable {
    /// The number stored in the ledger.
    public let rawValue: Int64

    /// Makes an id of the number stored in the ledger.
    public init(rawValue: Int64) { self.rawValue = rawValue }
}

/// Names an API key: the part that is safe to show and to log. Its top eight bits are the shard, so
/// that a key is found by its primary key alone.
public struct KeyID: Sendable, Hashable, CustomStringConvertible {
    /// 64 random bits below the shard's eight.
    public let rawValue: UInt64

    /// Makes an id of its bits.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Makes an id in `shard` from 64 random bits, of which the top eight are replaced.
    public init(shard: Shard, random: UInt64) {
        rawValue = UInt64(shard.rawValue) << 56 | random & 0x00FF_FFFF_FFFF_FFFF
    }

    /// Makes an id of its eleven base-62 digits; nil for anything else.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count == 11, let value = Base62.decode(text.utf8) else { return nil }
        rawValue = value
    }

    /// The shard whose rows belong to the key.
    public var shard: Shard { Shard(rawValue: Int16(rawValue >> 56)) }

    /// The number as the database stores it (`int8`, same bits).
    public var databaseValue: Int64 { Int64(bitPattern: rawValue) }

    /// Eleven base-62 digits.
    public var description: String { Base62.encode(rawValue, width: 11) }
}

/// Names one request: a UUIDv7 (RFC 9562) made by the gateway, unique and sortable by time.
public struct RequestID: Sendable, Hashable, CustomStringConvertible {
    /// The UUID's 128 bits, first byte highest.
    public let rawValue: UInt128

    /// Makes an id of a UUID's bits.
    public init(rawValue: UInt128) { self.rawValue = rawValue }

    /// Makes a UUIDv7 of an instant and 74 random bits (RFC 9562 §5.7).
    public init(at instant: Timestamp, random: (UInt64, UInt64)) {
        let milliseconds = UInt64(clamping: instant.microseconds / 1000) & 0xFFFF_FFFF_FFFF
        let high = milliseconds << 16 | 0x7000 | random.0 & 0x0FFF
        let low = 0x8000_0000_0000_0000 | random.1 & 0x3FFF_FFFF_FFFF_FFFF
        rawValue = UInt128(high) << 64 | UInt128(low)
    }

    /// Makes an id of what ``description`` wrote; nil for anything else.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count == 36 else { return nil }
        var value: UInt128 = 0
        for (index, byte) in text.utf8.enumerated() {
            if [8, 13, 18, 23].contains(index) {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
            value = value << 4 | UInt128(digit)
        }
        rawValue = value
    }

    /// The UUID in its usual form of 36 lower-case characters.
    public var description: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for position in 0..<32 {
            if [8, 12, 16, 20].contains(position) { text.append(UInt8(ascii: "-")) }
            text.append(digits[Int(truncatingIfNeeded: rawValue >> (124 - position * 4)) & 15])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
