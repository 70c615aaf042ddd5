/// Finds e-mail addresses by their `@`: a local part of at most 64 bytes before it and a domain name
/// with a last label of letters behind it (RFC 5321; quoted local parts are not looked for).
enum EmailDetector {
    /// The signs that local parts have in practice. The standard allows more, but those separate an
    /// address from what stands before it: `?to=bob@example.com`.
    private static let localSigns = Set("%'+_~-.".utf8)
    private static let longestLocal = 64

    static func find(in bytes: [UInt8], into found: inout [EntityFinding]) {
        for at in bytes.indices where bytes[at] == 0x40 {
            guard let start = localStart(bytes, before: at),
                let domain = DomainName.end(bytes, from: at + 1), domain.hasLetterEnding
            else { continue }
            found.append(
                EntityFinding(entity: .emailAddress, range: start..<domain.end, score: 100))
        }
    }

    private static func localStart(_ bytes: [UInt8], before at: Int) -> Int? {
        var start = at
        while start > 0, at - start < longestLocal {
            let byte = bytes[start - 1]
            if ASCII.isAlphanumeric(byte) || localSigns.contains(byte) {
                start -= 1
            } else if start > 1, ASCII.isContinuation(byte), ASCII.isExtendedLead(bytes[start - 2])
            {
                start -= 2
            } else {
                break
            }
        }
        // What quotes or lists an address stands before it; nor does a dot begin one.
        while start < at, isBorder(bytes[start]) { start += 1 }
        guard start < at, bytes[at - 1] != 0x2E else { return nil }
        // Two dots in a row end the part: "see..bob@example.com".
        var index = at - 1
        while index > start {
            if bytes[index] == 0x2E, bytes[index - 1] == 0x2E {
                start = index + 1
                break
            }
            index -= 1
        }
        return start
    }

    private static func isBorder(_ byte: UInt8) -> Bool {
        byte == 0x2E || byte == 0x27 || byte == 0x25 || byte == 0x7E || byte == 0x2D
    }
}
