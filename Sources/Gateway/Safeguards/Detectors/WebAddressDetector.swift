/// Finds addresses of the web: with a scheme, with `www.`, or a name under a well-known top-level
/// domain.
enum WebAddressDetector {
    private static let schemes = ["https", "http", "ftp", "ftps", "wss", "ws"].map {
        Array($0.utf8)
    }

    /// Top-level domains that a bare name may have.
    private static let plain = names(
        "com org net edu gov mil info biz dev app xyz online shop site tech cloud ai io co uk eu")
    /// Those that are also words, endings of files or of sentences: a path must follow.
    private static let ambiguous = names(
        "de fr es it nl pl ch at be se no fi dk pt cz us ca au jp cn in br ru me tv kr sg nz za mx ie"
    )

    private static func names(_ list: String) -> Set<[UInt8]> {
        Set(list.split(separator: " ").map { Array($0.utf8) })
    }

    static func find(in text: ScannedText, into found: inout [EntityFinding]) {
        var behind = 0
        for token in text.tokens where token.start >= behind && token.kind != .digits {
            guard let range = address(in: text.bytes, at: token) else { continue }
            found.append(EntityFinding(entity: .url, range: range, score: 90))
            behind = range.upperBound
        }
    }

    /// The address that begins with a token; nil when none does.
    private static func address(in bytes: [UInt8], at token: TextToken) -> Range<Int>? {
        let start = token.start
        guard token.end < bytes.count else { return nil }
        if bytes[token.end] == 0x3A, token.count <= 5 {
            let scheme = bytes[token.range].map(ASCII.lower)
            guard schemes.contains(scheme), bytes[token.end...].starts(with: [0x3A, 0x2F, 0x2F])
            else { return nil }
            let host = token.end + 3
            guard host < bytes.count, isHostStart(bytes[host]) else { return nil }
            return start..<pathEnd(bytes, from: host)
        }
        let joins = bytes[token.end] == 0x2E || bytes[token.end] == 0x2D
        guard joins, start == 0 || !isInner(bytes[start - 1]),
            let name = DomainName.end(bytes, from: start), name.hasLetterEnding
        else { return nil }
        // The name of a file, a mailbox or a function is none of these.
        let follower = name.end < bytes.count ? bytes[name.end] : 0
        guard follower != 0x40, follower != 0x28, follower != 0x5F else { return nil }
        let hasPath = follower == 0x2F && name.end + 1 < bytes.count
        let last = bytes[name.lastLabel..<name.end].map(ASCII.lower)
        let isNamed = token.count == 3 && bytes[token.range].map(ASCII.lower) == Array("www".utf8)
        let isKnown =
            plain.contains(last) && isOneCase(bytes[name.lastLabel..<name.end])
            || ambiguous.contains(last) && hasPath
        guard isNamed && name.labels >= 3 || isKnown else { return nil }
        return start..<pathEnd(bytes, from: name.end)
    }

    private static func isHostStart(_ byte: UInt8) -> Bool {
        ASCII.isAlphanumeric(byte) || byte == 0x5B || ASCII.isExtendedLead(byte)
    }

    /// Whether a name behind this byte is part of something longer.
    private static func isInner(_ byte: UInt8) -> Bool {
        byte == 0x40 || byte == 0x2E || byte == 0x2F || byte == 0x2D || byte == 0x5C
    }

    private static func isOneCase(_ word: ArraySlice<UInt8>) -> Bool {
        word.allSatisfy(ASCII.isLower) || word.allSatisfy(ASCII.isUpper)
    }

    private static let signs = Set("-._~:/?#[]@!$&'()*+,;=%".utf8)

    /// The byte behind an address: the end of its characters, without the punctuation of the
    /// sentence and the brackets that are closed but not opened within.
    private static func pathEnd(_ bytes: [UInt8], from start: Int) -> Int {
        var end = start
        var open = 0
        while end < bytes.count {
            let byte = bytes[end]
            if byte == 0x28 { open += 1 }
            if byte == 0x29 {
                if open == 0 { break }
                open -= 1
            }
            guard ASCII.isAlphanumeric(byte) || signs.contains(byte) || isLetter(bytes, end) else {
                break
            }
            end += 1
        }
        let trailing = Set(".,;:!?'(*".utf8)
        while end > start, trailing.contains(bytes[end - 1]) { end -= 1 }
        return end
    }

    private static func isLetter(_ bytes: [UInt8], _ index: Int) -> Bool {
        ASCII.isExtendedLead(bytes[index])
            || ASCII.isContinuation(bytes[index]) && index > 0
                && ASCII.isExtendedLead(bytes[index - 1])
    }
}
