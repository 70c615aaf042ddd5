import Testing

@testable import Gateway

/// Texts that are made to be slow to read.
@Suite(.serialized) struct HostileTexts {
    private static func repeated(_ piece: String, _ bytes: Int) -> String {
        String(repeating: piece, count: bytes / piece.utf8.count)
    }

    private static let pieces = [
        "a", "1", "@", ".", ":", "1 ", "1-", "a.", "a@", "@a.", "4111 ", "4111 1111 1111 1111 ",
        "DE89 ", "DE89370400440532013000", "1.1.", "::", "1:", "http://", "www.a.com(", "(202) ",
        "+1 ", "+4420", "0x", "January ", "1 de ", "call 1234567 ", "é", "\n\n", "\\n", "SSN 12 ",
        "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3 ", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5 ",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD ", "a-b.c_d@e:f/", "X-", "2-2-", "AB 12 34 56 ",
        // The slowest that a search by mutation found.
        "1 2 3 4 5 6 7 ", "1231 ", "12 Jan ", "10:10 ", "1::2 ", "1/1/24 ",
    ]

    @Test(arguments: pieces)
    func `a text sixteen times as long takes about sixteen times as long`(piece: String) {
        let recognizer = StructuredRecognizer()
        let clock = ContinuousClock()
        let short = Self.repeated(piece, 8 << 10)
        let long = Self.repeated(piece, 128 << 10)
        let shortTime = clock.measure { _ = recognizer.findings(in: short) }
        let longTime = clock.measure {
            let findings = recognizer.findings(in: long)
            _ = EntityFinding.withoutOverlaps(findings, count: long.utf8.count)
        }
        // A square would be 256 times; the machine may be busy in between.
        #expect(longTime < shortTime * 80 + .milliseconds(300), "\(shortTime) and then \(longTime)")
    }

    /// Without optimisation this takes about two seconds.
    @Test(.timeLimit(.minutes(1)))
    func `a mebibyte of all of them, whole and mixed, is read`() {
        let each = (1 << 20) / Self.pieces.count / 2
        let whole = Self.pieces.map { Self.repeated($0, each) }.joined()
        let mixed = Self.repeated(Self.pieces.joined(), 1 << 19)
        let text = whole + mixed
        let findings = EntityFinding.withoutOverlaps(
            StructuredRecognizer().findings(in: text), count: text.utf8.count)
        #expect(text.utf8.count > 1_000_000)
        #expect(findings.contains { $0.entity == .creditCard })
    }
}
