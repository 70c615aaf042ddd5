/// All addresses that begin with the same bits, as RFC 4632 writes them: `10.0.0.0/8`.
public struct AddressRange: Sendable, Hashable, CustomStringConvertible {
    /// The first address.
    public let base: IPAddress
    /// How many bits all of them share.
    public let prefixLength: Int

    /// Reads a range, or a single address. Nil for anything else, also where bits behind the prefix
    /// are set: whether the address or the range was meant cannot be told.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let base = parts.first.flatMap({ IPAddress($0) }) else {
            return nil
        }
        let most = base.bytes.count * 8
        var length = most
        if parts.count == 2 {
            guard (1...3).contains(parts[1].utf8.count),
                parts[1].utf8.allSatisfy({ (48...57).contains($0) }), let told = Int(parts[1]),
                told <= most
            else { return nil }
            length = told
        }
        self.base = base
        prefixLength = length
        guard Self.first(length, of: base.bytes) == base.bytes else { return nil }
    }

    /// Whether the address is one of them. An address of the other version never is.
    public func contains(_ address: IPAddress) -> Bool {
        address.bytes.count == base.bytes.count
            && Self.first(prefixLength, of: address.bytes) == base.bytes
    }

    /// The range as it is written.
    public var description: String { "\(base)/\(prefixLength)" }

    private static func first(_ bits: Int, of bytes: [UInt8]) -> [UInt8] {
        bytes.enumerated().map { index, byte in
            let left = bits - index * 8
            return left >= 8 ? byte : left <= 0 ? 0 : byte & ~(0xFF >> UInt8(left))
        }
    }
}
