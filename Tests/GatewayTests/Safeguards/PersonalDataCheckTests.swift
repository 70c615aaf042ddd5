import Testing

@testable import Gateway

/// Finds one word and calls it a name, as an analyzer would.
private struct NameRecognizer: TextRecognizer {
    let name: String

    func findings(in text: String) async throws(RecognizerFailure) -> [EntityFinding] {
        guard let range = text.firstRange(of: name) else { return [] }
        let start = text.utf8.distance(from: text.startIndex, to: range.lowerBound)
        let end = start + name.utf8.count
        return [EntityFinding(entity: .person, range: start..<end, score: 85)]
    }
}

/// Never answers.
private struct LostRecognizer: TextRecognizer {
    func findings(in text: String) async throws(RecognizerFailure) -> [EntityFinding] {
        throw RecognizerFailure(reason: "no answer")
    }
}

@Suite struct PersonalDataChecks {
    private let policy = PersonalDataPolicy(mode: .replace(.category), ignored: [])

    @Test func `what several recognisers find is replaced together`() async throws {
        var random = SafeguardRandom(seed: 1)
        let check = PersonalDataCheck(
            recognizers: [StructuredRecognizer(), NameRecognizer(name: "Øyvind")])
        let decision = try await check.decide(
            ["Øyvind is at 192.168.1.7", "hello"], by: policy, using: &random)
        guard case .replaced(let texts, let counts) = decision else {
            Issue.record("nothing was replaced")
            return
        }
        #expect(texts == ["<PERSON> is at <IP_ADDRESS>", "hello"])
        #expect(counts.byEntity == [.person: 1, .ipAddress: 1])
        #expect(decision.description == "replaced: IP_ADDRESS 1, PERSON 1")
    }

    @Test func `a recogniser that cannot tell is never skipped`() async {
        let check = PersonalDataCheck(recognizers: [StructuredRecognizer(), LostRecognizer()])
        await #expect(throws: RecognizerFailure(reason: "no answer")) {
            var random = SafeguardRandom(seed: 1)
            _ = try await check.decide(["bob@example.com"], by: policy, using: &random)
        }
    }
}
