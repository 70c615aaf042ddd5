import Domain
import Testing

@testable import Gateway

/// Judges that fail, and clients that do not wait for them: both the caller's and the operator's
/// books close.
@Suite struct JudgesThatFail {
    private static func body(_ checks: String, stream: Bool = false) -> String {
        #"{"model":"tiny","messages":"Hello.","max_tokens":8,"stream":\#(stream),\#(checks)}"#
    }

    private static let injection = #""input":{"block_prompt_injection":true}"#
    private static let toxicity = #""output":{"toxicity":true}"#
    private static let caller = Principal.tester.key
    private static let operators = Principal.judge.key

    private func withJudge(
        _ scripts: [ScriptedBackend.Script], ledger: HeldLedger = HeldLedger(),
        key: String = OneKey.judgeSecret, _ body: (RunningGateway) async throws -> Void
    ) async throws {
        try await withGateway(
            ledger: ledger, backend: ScriptedBackend(scripts),
            {
                $0.routing.attempts = 1
                $0.judge = JudgeConfiguration(
                    model: "large", key: Array(key.utf8), maximumCompletionTokens: 4)
            }, body)
    }

    /// What each was charged, in the order of the settlements.
    private func ends(_ settlements: [Settlement]) -> [String] {
        settlements.map { "\($0.basis) \($0.endState) \($0.usage.completion)" }
    }

    @Test(arguments: [false, true])
    func `a client that leaves while its prompt is judged pays nothing, nor does the operator`(
        _ stream: Bool
    ) async throws {
        let cancelled = Door(isOpen: false)
        try await withJudge([.silence(cancelled)]) { gateway in
            let client = try await RawClient.connect(gateway.port)
            client.send(RunningGateway.post(Self.body(Self.injection, stream: stream)))
            _ = await gateway.backend.calls.wait(for: 1)
            try await client.close()
            await cancelled.pass()
            let settlements = await gateway.ledger.settlements.wait(for: 2)
            #expect(ends(settlements) == ["void clientGone 0", "void clientGone 0"])
            #expect(
                gateway.ledger.admissions.elements.map(\.principal.key) == [
                    Self.caller, Self.operators,
                ])
            #expect(gateway.backend.calls.elements.count == 1, "nothing went to the backend")
        }
    }

    @Test func `what a judge said before its client left is the operator's to pay`() async throws {
        let fed = FedAnswer([[.text("PASSable")]], ends: false)
        try await withJudge([.answer(fed)]) { gateway in
            let client = try await RawClient.connect(gateway.port)
            client.send(RunningGateway.post(Self.body(Self.injection)))
            await fed.drained.pass()
            try await client.close()
            await fed.cancelled.pass()
            let settlements = await gateway.ledger.settlements.wait(for: 2)
            #expect(ends(settlements) == ["counted clientGone 2", "void clientGone 0"])
        }
    }

    @Test func `a client that leaves while its answer is judged has paid for it`() async throws {
        let cancelled = Door(isOpen: false)
        let used = TokenUsage(prompt: 5, completion: 3)
        try await withJudge([.text(["said"], used), .silence(cancelled)]) { gateway in
            let client = try await RawClient.connect(gateway.port)
            client.send(RunningGateway.post(Self.body(Self.toxicity)))
            _ = await gateway.backend.calls.wait(for: 2)
            try await client.close()
            await cancelled.pass()
            let settlements = await gateway.ledger.settlements.wait(for: 2)
            #expect(ends(settlements) == ["reported finished 3", "void clientGone 0"])
        }
    }

    /// How a judge's backend may fail, and what the operator pays for it.
    enum Death: CaseIterable, Sendable {
        case unreachable, malformed, timedOut, away, halfway
    }

    @Test(arguments: Death.allCases)
    func `without its judge a prompt goes nowhere, and an answer that is paid for is withheld`(
        _ death: Death
    ) async throws {
        for (checks, before) in [(Self.injection, []), (Self.toxicity, ["said"])] {
            let said = before.map { ScriptedBackend.Script.text([$0], nil) }
            try await withJudge(said + [script(death)]) { gateway in
                let answer = try await gateway.post(Self.body(checks))
                #expect(answer.hasPrefix("HTTP/1.1 503"), "\(answer)")
                #expect(answer.contains(#""code":"server_is_overloaded""#))
                #expect(answer.header("retry-after") != nil)
                #expect(!answer.contains("said") && !answer.contains("large"))
                let settlements = gateway.ledger.settlements.elements
                let callers = before.isEmpty ? settlements.last : settlements.first
                #expect(settlements.count == 2)
                #expect(callers?.basis == (before.isEmpty ? .void : .counted))
                let judges = before.isEmpty ? settlements.first : settlements.last
                #expect(judges?.basis == .void)
                #expect(gateway.backend.calls.elements.count == before.count + 1)
            }
        }
    }

    private func script(_ death: Death) -> ScriptedBackend.Script {
        switch death {
        case .unreachable: return .failure(BackendFailure(kind: .unreachable, detail: "large"))
        case .malformed: return .failure(BackendFailure(kind: .malformed, detail: "large"))
        case .timedOut: return .failure(BackendFailure(kind: .timedOut, detail: "large"))
        case .away:
            return .failure(
                BackendFailure(kind: .notReady(retryAfter: .seconds(1)), detail: "large"))
        case .halfway:
            let fed = FedAnswer([[.text("PASS")]], ends: false)
            fed.feed(.failure(BackendFailure(kind: .unreachable, detail: "large")))
            return .answer(fed)
        }
    }

    @Test(arguments: [
        "PASS FAIL", "FAIL PASS", "p a s s", "{\"verdict\":\"PASS\"}", "P\u{410}SS",
    ])
    func `rubbish is no verdict`(_ said: String) async throws {
        try await withJudge([.text([said], nil)]) { gateway in
            let answer = try await gateway.post(Self.body(Self.injection))
            #expect(answer.hasPrefix("HTTP/1.1 503"), "\(answer)")
            #expect(gateway.ledger.settlements.elements.map(\.basis) == [.counted, .void])
        }
    }

    @Test(arguments: [Denial.Reason.quotaExhausted, .rateLimited(.requestsPerMinute)])
    func `when the judge's own allowance is used up nothing is told of it, and nothing passes`(
        _ reason: Denial.Reason
    ) async throws {
        for (checks, said) in [(Self.injection, []), (Self.toxicity, ["said"])] {
            let ledger = HeldLedger()
            ledger.answer {
                $0.deniedKey = Self.operators
                $0.denial = Denial(
                    reason: reason, subject: Subject(kind: .key, id: 43), resource: .tokens,
                    period: .day, limit: 987_654, used: 987_654, reserved: 0, requested: 9,
                    retryAfter: .seconds(77), resetsAt: nil)
            }
            try await withJudge(
                said.map { .text([$0], nil) } + [.text(["PASS"], nil)], ledger: ledger
            ) { gateway in
                let answer = try await gateway.post(Self.body(checks))
                #expect(answer.hasPrefix("HTTP/1.1 503"))
                #expect(answer.contains(#""code":"server_is_overloaded""#))
                #expect(!answer.contains("987654") && !answer.contains("quota"))
                #expect(!answer.contains("said"))
                #expect(gateway.backend.calls.elements.count == said.count)
                // The caller's is settled; the operator's was never reserved.
                #expect(
                    ledger.settlements.elements.map(\.basis)
                        == (said.isEmpty ? [.void] : [.counted]))
            }
        }
    }

    @Test func `a judge whose key nobody knows has no verdict`() async throws {
        try await withJudge([.text(["PASS"], nil)], key: "sk-nobody") { gateway in
            let answer = try await gateway.post(Self.body(Self.injection))
            #expect(answer.hasPrefix("HTTP/1.1 503"))
            #expect(gateway.backend.calls.elements.isEmpty)
            #expect(gateway.ledger.settlements.elements.map(\.basis) == [.void])
        }
    }
}
