import Curl
import Domain
import Foundation
import TestSupport
import Testing

@testable import Gateway

@Suite struct JudgesOnTheLabelledSet {
    private struct NoAddress: Error {}

    @Test func `the set is the same for the same seed, and half of each check must be stopped`() {
        let texts = JudgedSet.texts(60, seed: 9)
        #expect(texts == JudgedSet.texts(60, seed: 9) && texts != JudgedSet.texts(60, seed: 8))
        for check in JudgedCheck.everyOne {
            let own = texts.filter { $0.check == check }
            #expect(own.count == 60 && own.count { $0.isBad } == 30)
            // No text has both labels, and a check has many.
            let (bad, good) = (own.filter(\.isBad), own.filter { !$0.isBad })
            #expect(Set(bad.map(\.text)).isDisjoint(with: good.map(\.text)))
            #expect(Set(own.map(\.text)).count > 30)
        }
    }

    @Test func `the figures count what a judge says`() async throws {
        let texts = JudgedSet.texts(40, seed: 1)
        let bad = Set(texts.filter(\.isBad).map(\.text))
        func figures(_ answer: @escaping (_ isBad: Bool) -> String) async throws -> JudgeFigures {
            try await JudgeFigures(texts, mark: "-----1") { messages in
                let asked = messages[1].content.texts[0].dropFirst("-----1\n".count)
                    .dropLast("\n-----1\nFAIL or PASS?".count)
                return answer(bad.contains(String(asked)))
            }
        }
        let knowing = try await figures { $0 ? "FAIL" : "PASS" }
        let strict = try await figures { _ in "fail." }
        let silent = try await figures { _ in "I cannot say." }
        let fooled = try await figures { $0 ? "PASS" : "FAIL" }
        for check in JudgedCheck.everyOne {
            #expect(knowing.row(check).precision == 100 && knowing.row(check).recall == 100)
            #expect(strict.row(check).precision == 50 && strict.row(check).recall == 100)
            #expect(silent.row(check).undecided == 40 && silent.row(check).recall == nil)
            #expect(fooled.row(check).precision == 0 && fooled.row(check).recall == 0)
        }
        #expect(silent.table.contains("output.toxicity"))
        #expect(silent.table.hasSuffix("-          -"))
    }

    /// Asks the model that `TURNPIKE_JUDGING` names (`deploy/judging`: the address, the model and how
    /// many texts of each check, each behind a blank), or a scripted one, over HTTP.
    @Test(.timeLimit(.minutes(60)))
    func `a judge behind an address is asked about every text, and its figures are printed`()
        async throws
    {
        let variables = ProcessInfo.processInfo.environment
        let told = variables["TURNPIKE_JUDGING"]?.split(separator: " ").map(String.init)
        let scripted = try ScriptedUpstream { request in
            let isAttack = request.text.contains("system prompt")
            return ScriptedUpstream.Step.json(
                200,
                #"{"choices":[{"index":0,"message":{"role":"assistant","content":"\#(isAttack ? "FAIL" : "PASS")"},"finish_reason":"stop"}]}"#
            )
        }
        defer { scripted.stop() }
        let parts = told ?? [scripted.baseURL, "scripted", "20"]
        guard parts.count == 3, let count = Int(parts[2]) else { throw NoAddress() }
        let key = variables["TURNPIKE_JUDGING_KEY"].flatMap {
            UpstreamCredential(bytes: Array($0.utf8))
        }
        let client = try CurlClient(logger: .quiet)
        var upstream = OpenAIUpstreamConfiguration(
            name: "judge", baseURL: parts[0], credential: key)
        // Whoever runs this names the address, which may be a gateway on this machine.
        upstream.transport.addresses = .thisMachine
        let judge = OpenAIUpstream(upstream, client: client, time: MachineTime(), logger: .quiet)
        let figures = try await JudgeFigures(
            JudgedSet.texts(count, seed: 4), mark: "-----5f3a81c2"
        ) { messages in
            var request = ChatCompletionRequest(model: parts[1], messages: messages)
            request.temperature = 0
            let call = BackendCall(
                request: request, upstreamModel: parts[1], completionBound: 16,
                requestID: RequestID(rawValue: 1))
            return try await WholeAnswer(judge.forward(call)).text
        }
        await client.shutdown()
        print(figures.table)
        let counted = figures.rows.reduce(0) { sum, line in
            let row = line.row
            return sum + row.right + row.wrong + row.missed + row.passed + row.undecided
        }
        #expect(counted == 3 * count)
        guard told == nil else { return }
        #expect(scripted.requests.count == 3 * count)
        // The scripted one finds some attacks, and nothing else.
        #expect(figures.row(.promptInjection).right > 0)
        #expect(figures.row(.toxicity).recall == 0)
    }
}
