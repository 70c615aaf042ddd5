import Domain
import Testing

@testable import Gateway

@Suite struct LedgerGates {
    @Test(arguments: [RunningGateway.plain, RunningGateway.streaming])
    func `no byte goes out before the ledger accepted`(_ body: String) async throws {
        let ledger = HeldLedger(accepting: false)
        try await withGateway(ledger: ledger, backend: ScriptedBackend(.text(["x"], nil))) {
            gateway in
            let client = try await RawClient.connect(gateway.port)
            client.send(RunningGateway.post(body))
            _ = await gateway.backend.calls.wait(for: 1)
            // Another request comes and goes meanwhile: what could have been written is written by
            // now.
            _ = try await gateway.exchange(
                "GET /no HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
            #expect(client.soFar.isEmpty)
            ledger.accepting.open()
            #expect(await client.received("HTTP/1.1 200 OK").hasPrefix("HTTP/1.1 200 OK"))
            _ = await ledger.settlements.wait(for: 1)
            try await client.close()
        }
    }

    @Test func `a stream's end is held until it is settled`() async throws {
        let ledger = HeldLedger(settling: false)
        try await withGateway(
            ledger: ledger,
            backend: ScriptedBackend(.text(["text"], TokenUsage(prompt: 1, completion: 1)))
        ) { gateway in
            let client = try await RawClient.connect(gateway.port)
            client.send(RunningGateway.post(RunningGateway.streaming))
            _ = await client.received(#""content":"text""#)
            _ = await ledger.settlements.wait(for: 1)
            _ = try await gateway.exchange(
                "GET /no HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
            #expect(!client.soFar.contains(#""finish_reason":"stop""#))
            #expect(!client.soFar.contains("[DONE]"))
            ledger.settling.open()
            #expect(await client.received("[DONE]").contains(#""finish_reason":"stop""#))
            try await client.close()
        }
    }

    @Test func `a whole answer is held until it is settled`() async throws {
        let ledger = HeldLedger(settling: false)
        try await withGateway(ledger: ledger, backend: ScriptedBackend(.text(["x"], nil))) {
            gateway in
            let client = try await RawClient.connect(gateway.port)
            client.send(RunningGateway.post(RunningGateway.plain))
            _ = await ledger.settlements.wait(for: 1)
            _ = try await gateway.exchange(
                "GET /no HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
            #expect(client.soFar.isEmpty)
            ledger.settling.open()
            _ = await client.received("HTTP/1.1 200 OK")
            try await client.close()
        }
    }

    @Test func `progress is noted before its bytes go out`() async throws {
        let answer = FedAnswer([[.text("a"), .text("b")]], ends: false)
        try await withGateway(backend: ScriptedBackend(.answer(answer))) { gateway in
            let client = try await RawClient.connect(gateway.port)
            client.send(RunningGateway.post(RunningGateway.streaming))
            _ = await client.received(#""content":"b""#)
            #expect(gateway.ledger.notes.elements == [2])
            answer.feed(.text("c"))
            _ = await client.received(#""content":"c""#)
            #expect(gateway.ledger.notes.elements == [2, 3])
            answer.feed(.end())
            answer.feed(.success(nil))
            _ = await client.received("[DONE]")
            try await client.close()
        }
    }

    @Test(arguments: [RunningGateway.plain, RunningGateway.streaming])
    func `a key that the ledger refuses is 401 and its backend is cancelled`(_ body: String)
        async throws
    {
        let ledger = HeldLedger()
        ledger.answer { $0.acceptance = .success(.keyRefused) }
        let cancelled = Door(isOpen: false)
        try await withGateway(ledger: ledger, backend: ScriptedBackend(.silence(cancelled))) {
            gateway in
            let answer = try await gateway.post(body)
            #expect(answer.hasPrefix("HTTP/1.1 401"))
            #expect(answer.contains(#""code":"invalid_api_key""#))
            await cancelled.pass()
            #expect(ledger.settlements.elements.map(\.basis) == [.void])
            #expect(ledger.settlements.elements.map(\.endState) == [.revoked])
        }
    }

    @Test(arguments: [LedgerFault.unavailable, .fenced, .overloaded, .rejected])
    func `a ledger that does not accept is 503 and its backend is cancelled`(_ fault: LedgerFault)
        async throws
    {
        let ledger = HeldLedger()
        ledger.answer { $0.acceptance = .failure(fault) }
        let fed = FedAnswer([[.text("x")]], ends: false)
        try await withGateway(ledger: ledger, backend: ScriptedBackend(.answer(fed))) { gateway in
            let answer = try await gateway.post(RunningGateway.streaming)
            #expect(answer.hasPrefix("HTTP/1.1 503"))
            #expect(answer.contains(#""code":"metering_unavailable""#))
            #expect(answer.header("retry-after") != nil)
            await fed.cancelled.pass()
            // The client does not wait for it; it comes all the same.
            #expect(await ledger.settlements.wait(for: 1).map(\.basis) == [.void])
        }
    }

    @Test func `a settlement that is not confirmed ends a stream without its end`() async throws {
        let ledger = HeldLedger()
        ledger.answer { $0.settleFault = .unavailable }
        try await withGateway(ledger: ledger, backend: ScriptedBackend(.text(["x"], nil))) {
            gateway in
            let stream = try await gateway.post(RunningGateway.streaming)
            #expect(stream.hasPrefix("HTTP/1.1 200"))
            #expect(stream.contains("data: {\"error\":{"))
            #expect(!stream.contains("[DONE]") && !stream.contains(#""finish_reason":"stop""#))
            let plain = try await gateway.post(RunningGateway.plain)
            #expect(plain.hasPrefix("HTTP/1.1 503"))
            #expect(plain.contains(#""code":"metering_unavailable""#))
        }
    }

    @Test func `a ledger that cannot admit is 503 and nothing is forwarded`() async throws {
        let ledger = HeldLedger()
        ledger.answer { $0.admitFault = .unavailable }
        try await withGateway(ledger: ledger, backend: ScriptedBackend(.text(["x"], nil))) {
            gateway in
            let answer1 = try await gateway.post(RunningGateway.plain)
            #expect(answer1.hasPrefix("HTTP/1.1 503"))
            #expect(gateway.backend.calls.elements.isEmpty)
        }
    }
}

@Suite struct ChatCompletions429 {
    @Test func `a quota of one model refuses in its name, and its headers are that model's`()
        async throws
    {
        let ledger = HeldLedger()
        ledger.answer {
            $0.denial = Denial(
                reason: .quotaExhausted, subject: Subject(kind: .team, id: -42), resource: .tokens,
                period: .day, limit: 2000, used: 1990, reserved: 0, requested: 94, retryAfter: nil,
                resetsAt: nil)
        }
        try await withGateway(ledger: ledger, backend: ScriptedBackend(.text(["x"], nil))) {
            gateway in
            let answer = try await gateway.post(RunningGateway.plain)
            #expect(answer.hasPrefix("HTTP/1.1 429"))
            #expect(
                answer.contains("The team's quota of 2000 tokens per day for model 'tiny' has no"),
                "\(answer)")
            #expect(ledger.standingModels.elements == ["tiny"])
            #expect(gateway.backend.calls.elements.isEmpty)
        }
    }

    @Test func `an exhausted quota is refused before the backend is called`() async throws {
        let ledger = HeldLedger()
        ledger.answer {
            $0.denial = Denial(
                reason: .quotaExhausted, subject: Subject(kind: .key, id: 42), resource: .tokens,
                period: .total, limit: 2000, used: 1990, reserved: 0, requested: 94,
                retryAfter: nil,
                resetsAt: nil)
        }
        try await withGateway(ledger: ledger, backend: ScriptedBackend(.text(["x"], nil))) {
            gateway in
            let answer = try await gateway.post(RunningGateway.plain)
            #expect(answer.hasPrefix("HTTP/1.1 429"))
            #expect(
                answer.contains(
                    #""type":"insufficient_quota","param":null,"code":"insufficient_quota""#))
            #expect(answer.header("x-should-retry") == "false")
            #expect(answer.header("retry-after") == nil)
            #expect(gateway.backend.calls.elements.isEmpty)
            #expect(ledger.settlements.elements.isEmpty)
        }
    }
}
