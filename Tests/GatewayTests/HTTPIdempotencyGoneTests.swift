import Domain
import Testing

@testable import Gateway

@Suite struct `Clients with an Idempotency-Key that leave` {
    private static let header = "Idempotency-Key: 7c2f\r\n"
    private static let first = RequestID(rawValue: 0x01a1_fd8c_fcc4_7c64_b75e_41fb_2b1d_d31c)

    private static func backend() -> ScriptedBackend { ScriptedBackend(.text(["Hi"], nil)) }

    @Test(arguments: [RunningGateway.plain, RunningGateway.streaming])
    func `one that leaves while its key is claimed gives it back, and has nothing reserved`(
        _ body: String
    ) async throws {
        let claims = ScriptedClaims(claiming: false)
        try await withGateway(claims: claims, backend: Self.backend()) { gateway in
            let client = try await RawClient.connect(gateway.port)
            client.send(RunningGateway.post(body, Self.header))
            _ = await claims.calls.wait(for: 1)
            try await client.close()
            await claims.cancelled.pass()
            claims.claiming.open()
            #expect(await claims.calls.wait(for: 2).last == .release)
            #expect(gateway.ledger.admissions.elements.isEmpty)
            #expect(gateway.backend.calls.elements.isEmpty)
            // Its retry is served.
            let retry = try await gateway.post(body, Self.header)
            #expect(retry.hasPrefix("HTTP/1.1 200"))
            #expect(gateway.ledger.settlements.elements.count == 1)
        }
    }

    @Test(arguments: [RunningGateway.plain, RunningGateway.streaming])
    func `an answer is kept although its client leaves meanwhile`(_ body: String) async throws {
        let claims = ScriptedClaims(keeping: false)
        try await withGateway(
            claims: claims, backend: Self.backend(), { $0.storesAnswers = true }
        ) { gateway in
            let client = try await RawClient.connect(gateway.port)
            client.send(RunningGateway.post(body, Self.header))
            _ = await claims.calls.wait(for: 3)
            try await client.close()
            await claims.cancelled.pass()
            claims.keeping.open()
            // It was paid for, so its key stays taken.
            let next = try await gateway.post(RunningGateway.plain)
            #expect(next.hasPrefix("HTTP/1.1 200"))
            #expect(!claims.calls.elements.contains(.release))
            #expect(gateway.ledger.settlements.elements.map(\.endState) == [.finished, .finished])
        }
    }

    @Test(arguments: ["application/json", "text/event-stream; charset=utf-8"])
    func `one that leaves while a stored answer is sent changes nothing, and may ask again`(
        _ type: String
    ) async throws {
        let claims = ScriptedClaims()
        let body = [UInt8](repeating: 0x78, count: StoredAnswer.mostBytes)
        let end = IdempotentEnd(
            requestID: Self.first, usage: .none, endState: .finished,
            answer: StoredAnswer(contentType: type, body: body))
        claims.answer { $0.verdict = .success(.ended(end)) }
        try await withGateway(claims: claims, backend: Self.backend()) { gateway in
            // It takes the head at most.
            for _ in 0..<3 {
                let client = try await RawClient.connect(gateway.port, reads: false)
                client.send(RunningGateway.post(RunningGateway.plain, Self.header))
                let asked = claims.calls.elements.count
                _ = await claims.calls.wait(for: asked + 1)
                try await client.close()
            }
            let whole = try await gateway.post(RunningGateway.plain, Self.header)
            #expect(whole.hasPrefix("HTTP/1.1 200"))
            #expect(whole.components(of: "x") >= body.count)
            #expect(gateway.ledger.admissions.elements.isEmpty)
            #expect(!claims.calls.elements.contains(.release))
        }
    }

    @Test func `the largest answer that is kept has the limit's size, and one more byte is none`()
        async throws
    {
        let claims = ScriptedClaims()
        func kept() -> [Int] {
            claims.calls.elements.compactMap {
                if case .keep(let answer) = $0 { answer.body.count } else { nil }
            }
        }
        // What is around the text is as long for each stream: times stand only in whole answers.
        let texts = Texts()
        let backend = ScriptedBackend(texts.scripts)
        try await withGateway(claims: claims, backend: backend, { $0.storesAnswers = true }) {
            gateway in
            let body = #"{"model":"large","stream":true,"messages":"hi","max_tokens":1000000}"#
            for index in 0..<3 {
                let answer = try await gateway.post(body, Self.header)
                #expect(answer.hasPrefix("HTTP/1.1 200"))
                guard index == 0 else { continue }
                texts.around = (kept().first ?? 0) - 1
                backend.script(
                    .text([texts.of(StoredAnswer.mostBytes)], texts.usage),
                    .text([texts.of(StoredAnswer.mostBytes + 1)], texts.usage))
            }
            #expect(kept() == [texts.around + 1, StoredAnswer.mostBytes])
        }
    }

    /// Answers of a size.
    private final class Texts {
        /// What an answer's body holds beside its text, in bytes.
        var around = 0
        let usage = TokenUsage(prompt: 5, completion: 100_000)

        var scripts: [ScriptedBackend.Script] { [.text(["x"], usage)] }

        func of(_ size: Int) -> String { String(repeating: "x", count: size - around) }
    }
}
