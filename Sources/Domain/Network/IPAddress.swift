/// An address of the internet protocol, version 4 or 6.
public struct IPAddress: Sendable, Hashable {
    /// Four bytes, or sixteen, the most significant first.
    public let bytes: [UInt8]

    /// Takes an address as it stands in a packet; nil unless there are four or sixteen bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Reads an address as people write it: four decimal numbers, or RFC 4291 §2.2 without a zone.
    /// Nil for anything else, such as numbers with leading zeros, which some read as octal.
    public init?(_ text: some StringProtocol) {
        let bytes = text.contains(":") ? Self.read6(Substring(text)) : Self.read4(Substring(text))
        guard let bytes else { return nil }
        self.bytes = bytes
    }

    /// The version 4 address that a version 6 one carries, so that both are judged alike: mapped
    /// (RFC 4291), translated (RFC 2765), behind the well-known prefix of NAT64 (RFC 6052), and
    /// 6to4 (RFC 3056). Compatible ones (`::a.b.c.d`) are too: systems still read them so.
    public var embedded: IPAddress? {
        guard bytes.count == 16 else { return nil }
        let prefix = bytes.prefix(12)
        if bytes[0] == 0x20, bytes[1] == 0x02 { return IPAddress(bytes: Array(bytes[2..<6])) }
        let isCarrier = Self.carriers.contains { $0[...] == prefix }
        // `::` and `::1` are addresses of their own.
        let isOwn = prefix.allSatisfy { $0 == 0 } && bytes[12] == 0 && bytes[13] == 0
        return isCarrier && !isOwn ? IPAddress(bytes: Array(bytes[12...])) : nil
    }

    private static let carriers: [[UInt8]] = [
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], [0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0],
        [0x00, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ]

    private static func read4(_ text: Substring) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { part -> UInt8? in
            guard part.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
            return part.utf8.count > 1 && part.first == "0" ? nil : UInt8(part)
        }
        return parts.count == 4 && bytes.count == 4 ? bytes : nil
    }

    private static func read6(_ text: Substring) -> [UInt8]? {
        guard let gap = text.firstRange(of: "::") else {
            let bytes = read6(groups: text)
            return bytes?.count == 16 ? bytes : nil
        }
        let (before, after) = (text[..<gap.lowerBound], text[gap.upperBound...])
        guard let head = before.isEmpty ? [] : read6(groups: before), !before.contains("."),
            let tail = after.isEmpty ? [] : read6(groups: after), head.count + tail.count <= 14
        else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    /// Groups of up to four hexadecimal digits between colons; the last may be a version 4 address.
    private static func read6(groups text: Substring) -> [UInt8]? {
        var bytes: [UInt8] = []
        let groups = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, group) in groups.enumerated() {
            if group.contains(".") {
                guard index == groups.count - 1, let last = read4(group) else { return nil }
                bytes += last
            } else {
                guard (1...4).contains(group.utf8.count), group.utf8.allSatisfy(isHexadecimal),
                    let number = UInt16(group, radix: 16)
                else { return nil }
                bytes += [UInt8(number >> 8), UInt8(number & 0xFF)]
            }
        }
        return bytes
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...70).contains(byte) || (97...102).contains(byte)
    }
}

extension IPAddress: CustomStringConvertible {
    /// The address as people write it; version 6 in full, with no zeros left out but leading ones.
    public var description: String {
        guard bytes.count == 16 else { return bytes.map(String.init).joined(separator: ".") }
        return stride(from: 0, to: 16, by: 2)
            .map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }
            .joined(separator: ":")
    }
}
