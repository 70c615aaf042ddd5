import Testing

@testable import Gateway

/// Replaces what the recogniser finds in `texts`; nil when the decision is another.
func replaced(
    _ texts: [String], by method: ReplacementMethod, ignoring ignored: Set<EntityType> = [],
    seed: UInt64 = 1
) -> [String]? {
    var random = SafeguardRandom(seed: seed)
    let policy = PersonalDataPolicy(mode: .replace(method), ignored: ignored)
    let recognizer = StructuredRecognizer()
    let decision = policy.decide(
        texts: texts, findings: texts.map(recognizer.findings), using: &random)
    guard case .replaced(let texts, _) = decision else { return nil }
    return texts
}

@Suite struct ReplacedText {
    private static let text = "Mail Bob@Example.com or call +44 20 7946 0958 — danke"

    @Test func `a category and a mask stand exactly where the value stood`() {
        #expect(
            replaced([Self.text], by: .category)
                == ["Mail <EMAIL_ADDRESS> or call <PHONE_NUMBER> — danke"])
        #expect(
            replaced([Self.text], by: .mask) == [
                "Mail *************** or call **************** — danke"
            ])
        #expect(replaced(["jürgen@müller.de!"], by: .mask) == ["****************!"])
        // The same written with a mark behind its letter, which counts by itself.
        let joined = "jürgen@mu\u{308}ller.de"
        let masked = replaced([joined], by: .mask)?.first
        #expect(masked?.unicodeScalars.count == joined.unicodeScalars.count)
    }

    @Test func `random characters keep the shape and none of the value`() throws {
        let card = "4111-1111 is no card, 4111 1111 1111 1111 is"
        let random = try #require(replaced([card, Self.text], by: .random))
        #expect(random[0].hasPrefix("4111-1111 is no card, "))
        #expect(!random[0].contains("4111 1111 1111 1111"))
        for (before, after) in zip([card, Self.text], random) {
            #expect(before.count == after.count)
            for (old, new) in zip(before, after) {
                #expect(old.isNumber == new.isNumber && old.isLetter == new.isLetter)
                #expect(old.isUppercase == new.isUppercase || !old.isLetter)
            }
        }
        #expect(replaced([card], by: .random, seed: 1) == replaced([card], by: .random, seed: 1))
        #expect(replaced([card], by: .random, seed: 1) != replaced([card], by: .random, seed: 2))
    }

    @Test(arguments: [ReplacementMethod.random, .fake])
    func `one value has one replacement in all texts and all writings`(
        method: ReplacementMethod
    ) throws {
        let texts = ["4111 1111 1111 1111", "x 4111111111111111", "5555-5555-5555-4444"]
        let after = try #require(replaced(texts, by: method))
        let digits = after.map { $0.filter(\.isNumber) }
        #expect(digits[0] == digits[1])
        #expect(digits[0] != digits[2])
        #expect(after[0].split(separator: " ").map(\.count) == [4, 4, 4, 4])
        let mails = try #require(
            replaced(["Bob@example.com", "bob@EXAMPLE.com", "ann@b.io"], by: method))
        #expect(mails[0].lowercased() == mails[1].lowercased())
        #expect(mails[0] != mails[2])
    }

    /// Every value of the labelled set that is found: its kind is found again where it stood.
    @Test(arguments: [UInt64(1), 2, 3])
    func `an invented value passes the checks of its kind and is another`(seed: UInt64) throws {
        var random = SafeguardRandom(seed: seed)
        let policy = PersonalDataPolicy(mode: .replace(.fake), ignored: [])
        let recognizer = StructuredRecognizer()
        var seen: Set<EntityType> = []
        for labelled in LabelledSet.texts(1500, seed: seed) {
            let bytes = labelled.text.utf8.count
            let before = EntityFinding.withoutOverlaps(
                recognizer.findings(in: labelled.text), count: bytes)
            let decision = policy.decide(
                texts: [labelled.text], findings: [before], using: &random)
            guard case .replaced(let texts, _) = decision else { continue }
            let after = EntityFinding.withoutOverlaps(
                recognizer.findings(in: texts[0]), count: texts[0].utf8.count)
            #expect(
                before.map(\.entity) == after.map(\.entity), "\(labelled.text) became \(texts[0])")
            for (old, new) in zip(before, after) {
                seen.insert(old.entity)
                let was = Array(labelled.text.utf8)[old.range]
                #expect(!Array(texts[0].utf8)[new.range].elementsEqual(was))
            }
        }
        #expect(seen.isSuperset(of: LabelledValue.entities))
    }

    @Test(.timeLimit(.minutes(1)), arguments: ReplacementMethod.allCases)
    func `twenty thousand values in one text are all replaced`(method: ReplacementMethod) throws {
        var random = SafeguardRandom(seed: 7)
        let values = (0..<20_000).map { index in
            index.isMultiple(of: 2)
                ? LabelledNumbers.card(&random) : "\(random.letters(9))@example.com"
        }
        let text = values.joined(separator: " ")
        let after = try #require(replaced([text], by: method)?.first)
        let kept = Set(after.split(separator: " ").map(String.init)).intersection(values)
        #expect(text.utf8.count > 350_000)
        #expect(kept.isEmpty)
    }

    @Test func `an analyzer's own kinds are replaced too, whole characters at a time`() {
        let text = "Zoë met Øyvind"
        let name = EntityFinding(entity: .person, range: 10..<11, score: 85)
        var random = SafeguardRandom(seed: 1)
        let policy = PersonalDataPolicy(mode: .replace(.mask), ignored: [])
        guard
            case .replaced(let texts, _) = policy.decide(
                texts: [text], findings: [[name]], using: &random)
        else {
            Issue.record("nothing was replaced")
            return
        }
        #expect(texts == ["Zoë met *yvind"])
    }
}

@Suite struct PersonalDataDecisions {
    private func decide(_ texts: [String], _ policy: PersonalDataPolicy) -> PersonalDataDecision {
        var random = SafeguardRandom(seed: 1)
        let recognizer = StructuredRecognizer()
        return policy.decide(texts: texts, findings: texts.map(recognizer.findings), using: &random)
    }

    @Test func `blocking tells how much of which kind was found and leaves texts alone`() {
        let texts = ["bob@example.com and ann@example.com", "nothing", "192.168.1.7"]
        let decision = decide(texts, PersonalDataPolicy(mode: .block, ignored: []))
        guard case .blocked(let counts) = decision else {
            Issue.record("not blocked")
            return
        }
        #expect(counts.byEntity == [.emailAddress: 2, .ipAddress: 1])
    }

    @Test func `a kind that is to be ignored is neither blocked nor hides another`() {
        let policy = PersonalDataPolicy(mode: .block, ignored: [EntityType("email_address")])
        guard case .unchanged = decide(["bob@example.com"], policy) else {
            Issue.record("an ignored kind was blocked")
            return
        }
        let text = "https://a.example.org/?to=bob@example.com"
        #expect(replaced([text], by: .category) == ["<URL>"])
        #expect(
            replaced([text], by: .category, ignoring: [.url])
                == ["https://a.example.org/?to=<EMAIL_ADDRESS>"])
    }

    @Test func `what is printed or dumped of a check has no character of a match`() throws {
        let secret = "bob.secret@example.com"
        let recognizer = StructuredRecognizer()
        let findings = recognizer.findings(in: "mail \(secret)")
        var random = SafeguardRandom(seed: 1)
        let all: [PersonalDataPolicy.Mode] = [.block, .replace(.fake), .replace(.random)]
        var printed = ""
        for mode in all {
            let policy = PersonalDataPolicy(mode: mode, ignored: [])
            // Another address stays: the text itself must not be printed either.
            let decision = policy.decide(
                texts: ["mail \(secret)", "the secret stays"], findings: [findings, []],
                using: &random)
            print(decision, to: &printed)
            debugPrint(decision, to: &printed)
            dump(decision, to: &printed)
        }
        var replacer = Replacer(method: .fake, values: [(.emailAddress, Array(secret.utf8))])
        _ = replacer.replacement(for: Array(secret.utf8), of: .emailAddress, using: &random)
        print(replacer, to: &printed)
        dump(replacer, to: &printed)
        dump(findings, to: &printed)
        debugPrint(findings, to: &printed)
        print(RecognizerFailure(reason: "no answer"), to: &printed)
        #expect(!printed.contains("secret"))
        #expect(!printed.contains("bob"))
        #expect(printed.contains("EMAIL_ADDRESS"))
    }
}
