/// Names an event: a UUIDv7, shown and sent as `evt_` and 22 base-62 digits, which sort by time. A
/// receiver that sees it twice has been told the same thing twice.
public struct EventID: Sendable, Hashable, CustomStringConvertible {
    /// The UUID's 128 bits, first byte highest.
    public let rawValue: UInt128

    /// Makes an id of a UUID's bits.
    public init(rawValue: UInt128) { self.rawValue = rawValue }

    /// Makes an id of an instant and 74 random bits.
    public init(at instant: Timestamp, random: (UInt64, UInt64)) {
        rawValue = RequestID(at: instant, random: random).rawValue
    }

    /// Makes an id of what ``description`` wrote; nil for anything else.
    public init?(_ text: some StringProtocol) {
        let digits = text.utf8.dropFirst(4)
        guard text.hasPrefix("evt_"), digits.count == 22,
            let high = Base62.decode(digits.prefix(11)), let low = Base62.decode(digits.suffix(11))
        else { return nil }
        rawValue = UInt128(high) << 64 | UInt128(low)
    }

    /// `evt_` and 22 base-62 digits.
    public var description: String {
        "evt_" + Base62.encode(UInt64(truncatingIfNeeded: rawValue >> 64), width: 11)
            + Base62.encode(UInt64(truncatingIfNeeded: rawValue), width: 11)
    }
}
