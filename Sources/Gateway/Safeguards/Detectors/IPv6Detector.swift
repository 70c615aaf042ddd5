/// Finds IPv6 addresses (RFC 4291): eight groups, or fewer and one `::`, the last two possibly as an
/// IPv4 address.
enum IPv6Detector {
    /// The most bytes an address has.
    private static let longest = 45

    static func find(in bytes: [UInt8], into found: inout [EntityFinding]) {
        var index = 0
        while index < bytes.count {
            guard isInside(bytes[index]) else {
                index += 1
                continue
            }
            let start = index
            var colons = 0
            while index < bytes.count, isInside(bytes[index]) {
                if bytes[index] == 0x3A { colons += 1 }
                index += 1
            }
            guard colons >= 2, index - start <= longest + 2,
                start == 0 || !ASCII.isWord(bytes[start - 1]),
                index == bytes.count || !ASCII.isWord(bytes[index])
            else { continue }
            var end = index
            while end > start, bytes[end - 1] == 0x2E { end -= 1 }
            // One colon at the end is the sentence's, and so is one at the start.
            if end - start > 2, bytes[end - 1] == 0x3A, bytes[end - 2] != 0x3A { end -= 1 }
            let isLed = end - start > 2 && bytes[start] == 0x3A && bytes[start + 1] != 0x3A
            let first = isLed ? start + 1 : start
            guard isAddress(bytes[first..<end]) else { continue }
            found.append(EntityFinding(entity: .ipAddress, range: first..<end, score: 90))
        }
    }

    private static func isInside(_ byte: UInt8) -> Bool {
        byte == 0x3A || byte == 0x2E || ASCII.hexValue(byte) != nil
    }

    /// Whether all of these bytes are an address. One without a digit, such as `dead::beef`, is
    /// taken for code.
    private static func isAddress(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.count >= 3, bytes.contains(where: ASCII.isDigit) else { return false }
        let parts = bytes.split(separator: 0x3A, omittingEmptySubsequences: false)
        var groups = 0
        var gaps = 0
        for (index, part) in parts.enumerated() {
            let isLast = index == parts.count - 1
            if part.isEmpty {
                // The first and the last may be empty beside another, as in `::1` and `fe80::`.
                if index == 0 {
                    guard parts[1].isEmpty else { return false }
                } else if isLast {
                    guard parts[index - 1].isEmpty else { return false }
                } else {
                    gaps += 1
                }
            } else if isLast, part.contains(0x2E) {
                guard isIPv4(part) else { return false }
                groups += 2
            } else {
                guard part.count <= 4, !part.contains(0x2E) else { return false }
                groups += 1
            }
        }
        return gaps == 0 ? groups == 8 : gaps == 1 && groups < 8
    }

    private static func isIPv4(_ bytes: ArraySlice<UInt8>) -> Bool {
        let parts = bytes.split(separator: 0x2E, omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                !part.isEmpty && part.count <= 3 && part.allSatisfy(ASCII.isDigit)
                    && part.reduce(0) { $0 * 10 + Int($1) - 0x30 } <= 255
            }
    }
}
