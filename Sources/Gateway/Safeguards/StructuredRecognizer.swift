/// Finds personal data that has a form of its own: addresses, numbers with check digits, and
/// numbers that a word beside them names.
///
/// Reads a text once into tokens and looks a bounded way ahead from each, so that the time is
/// linear in the length of any text, the most hostile included: there is no pattern that backs up.
/// What has no form, such as a name, it does not find.
public struct StructuredRecognizer: TextRecognizer {
    /// A recogniser; it keeps nothing, so one serves every request.
    public init() {}

    /// What stands in `text`, in no particular order; findings may overlap.
    ///
    /// A fault is not possible here. Blocks the calling thread for about as long as reading takes.
    public func findings(in text: String) -> [EntityFinding] {
        let scanned = ScannedText(text)
        var found: [EntityFinding] = []
        for (index, token) in scanned.tokens.enumerated() {
            switch token.kind {
            case .digits: Self.findNumbers(in: scanned, at: index, into: &found)
            case .mixed: Self.findMixed(in: scanned, at: index, into: &found)
            case .letters: Self.findLettered(in: scanned, at: index, into: &found)
            }
        }
        EmailDetector.find(in: scanned.bytes, into: &found)
        WebAddressDetector.find(in: scanned, into: &found)
        IPv6Detector.find(in: scanned.bytes, into: &found)
        return found
    }

    private static func findNumbers(
        in text: ScannedText, at index: Int, into found: inout [EntityFinding]
    ) {
        IPv4Detector.find(in: text, at: index, into: &found)
        DateDetector.find(in: text, at: index, into: &found)
        PhoneDetector.find(in: text, at: index, into: &found)
        CardDetector.find(in: text, at: index, into: &found)
        AmericanDetector.find(in: text, at: index, into: &found)
        BritishDetector.findHealth(in: text, at: index, into: &found)
        NationalDetector.find(in: text, at: index, into: &found)
        LetteredDetector.find(in: text, at: index, into: &found)
        PassportDetector.find(in: text, at: index, into: &found)
    }

    private static func findMixed(
        in text: ScannedText, at index: Int, into found: inout [EntityFinding]
    ) {
        IBANDetector.find(in: text, at: index, into: &found)
        CryptoDetector.find(in: text, at: index, into: &found)
        DateDetector.find(in: text, at: index, into: &found)
        LetteredDetector.find(in: text, at: index, into: &found)
        BritishDetector.findInsurance(in: text, at: index, into: &found)
        PassportDetector.find(in: text, at: index, into: &found)
    }

    private static func findLettered(
        in text: ScannedText, at index: Int, into found: inout [EntityFinding]
    ) {
        let token = text.tokens[index]
        if token.context.contains(.month) {
            DateDetector.find(in: text, at: index, into: &found)
        }
        guard token.count <= 16 else { return }
        // "DE 89 3704 0044 0532 0130 00", "X-1234567-L", "RSSMRA 85T10 A562S" and "AB 12 34 56 C"
        // begin with letters alone.
        if token.count == 2 { IBANDetector.find(in: text, at: index, into: &found) }
        LetteredDetector.find(in: text, at: index, into: &found)
        BritishDetector.findInsurance(in: text, at: index, into: &found)
    }
}
