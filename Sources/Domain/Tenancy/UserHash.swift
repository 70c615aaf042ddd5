/// A client's name for its own user (`user`), as far as the ledger knows it: the same for the same
/// name within one organization, and nothing anybody could turn back into the name.
public struct UserHash: Sendable, Hashable, CustomStringConvertible {
    /// The 128 bits, first byte highest.
    public let rawValue: UInt128

    /// Makes a hash of its bits.
    public init(rawValue: UInt128) { self.rawValue = rawValue }

    /// Makes a hash of its sixteen bytes; nil for another number of them.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        rawValue = bytes.reduce(0) { $0 << 8 | UInt128($1) }
    }

    /// The sixteen bytes, as the ledger stores them.
    public var bytes: [UInt8] {
        (0..<16).map { UInt8(truncatingIfNeeded: rawValue >> UInt128(8 * (15 - $0))) }
    }

    /// Thirty-two hexadecimal digits.
    public var description: String {
        let digits = String(rawValue, radix: 16)
        return String(repeating: "0", count: 32 - digits.utf8.count) + digits
    }
}
