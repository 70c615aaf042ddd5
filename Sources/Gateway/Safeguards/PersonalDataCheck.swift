/// Looks for personal data in a request's texts with every recogniser that is configured, and decides.
public struct PersonalDataCheck: Sendable {
    private let recognizers: [any TextRecognizer]

    /// A check by these recognisers, asked in this order.
    public init(recognizers: [any TextRecognizer]) {
        precondition(!recognizers.isEmpty, "a check without a recogniser would find nothing")
        self.recognizers = recognizers
    }

    /// Decides about `texts`, the text parts of a request's messages in their order.
    ///
    /// Throws when one recogniser cannot tell, whatever the others found: the request must then be
    /// refused. `random` is asked only after everything was found, for the methods `random` and
    /// `fake`.
    public func decide(
        _ texts: [String], by policy: PersonalDataPolicy,
        using random: inout some RandomNumberGenerator
    ) async throws(RecognizerFailure) -> PersonalDataDecision {
        let findings = try await findings(in: texts) { _ in true }
        return policy.decide(texts: texts, findings: findings, using: &random)
    }

    /// Whether a recogniser is asked that is elsewhere.
    var asksOthers: Bool { recognizers.contains { $0.isRemote } }

    /// What the recognisers find that are chosen, for each text. Throws when one cannot tell.
    func findings(
        in texts: [String], by isChosen: (any TextRecognizer) -> Bool
    ) async throws(RecognizerFailure) -> [[EntityFinding]] {
        var findings = [[EntityFinding]](repeating: [], count: texts.count)
        for recognizer in recognizers where isChosen(recognizer) {
            for (index, found) in try await recognizer.findings(inAll: texts).enumerated() {
                findings[index] += found
            }
        }
        return findings
    }
}
