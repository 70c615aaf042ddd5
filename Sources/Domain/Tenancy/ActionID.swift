/// Names one action of an administrator. Its top eight bits are the shard, so that it is found by
/// its primary key alone.
public struct ActionID: Sendable, Hashable, CustomStringConvertible {
    /// 56 random bits below the shard's eight.
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

    /// The shard whose row it is.
    public var shard: Shard { Shard(rawValue: Int16(rawValue >> 56)) }

    /// The number as the database stores it (`int8`, same bits).
    public var databaseValue: Int64 { Int64(bitPattern: rawValue) }

    /// Eleven base-62 digits.
    public var description: String { Base62.encode(rawValue, width: 11) }
}
