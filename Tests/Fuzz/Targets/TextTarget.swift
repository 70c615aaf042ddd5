@testable import Gateway

/// The recogniser of personal data and what replaces it: a prompt is a stranger's text too.
enum TextTarget: FuzzTarget {
    private static let longest = 32 << 10

    static func run(_ input: [UInt8]) {
        let text = String(decoding: Repetition.expanded(input, most: longest), as: UTF8.self)
        let count = text.utf8.count
        let findings = Property.bounded(count, memory: 256) {
            StructuredRecognizer().findings(in: text)
        }
        Property.require(
            findings.allSatisfy { finding in
                0 <= finding.range.lowerBound && !finding.range.isEmpty
                    && finding.range.upperBound <= count && (0...100).contains(finding.score)
            }, "a finding does not lie in the text")
        for method in ReplacementMethod.allCases {
            check(text, findings, method)
        }
    }

    private static func check(
        _ text: String, _ findings: [EntityFinding], _ method: ReplacementMethod
    ) {
        var random = Counting()
        let policy = PersonalDataPolicy(mode: .replace(method), ignored: [])
        switch policy.decide(texts: [text], findings: [findings], using: &random) {
        case .unchanged: Property.require(findings.isEmpty, "what was found is not replaced")
        case .blocked: Property.require(false, "a replacement blocks")
        case .replaced(let texts, _):
            Property.require(texts.count == 1, "a text is lost")
            guard method == .mask else { return }
            Property.require(
                texts[0].unicodeScalars.count == text.unicodeScalars.count,
                "a mask changes the length")
        }
    }
}

/// Numbers that are the same in every run.
private struct Counting: RandomNumberGenerator {
    private var state: UInt64 = 0

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
