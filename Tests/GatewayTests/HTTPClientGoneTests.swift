import Domain
import ServiceLifecycle
import Testing

@testable import Gateway

@Suite struct ClientGone {
    @Test(arguments: [RunningGateway.plain, RunningGateway.streaming])
    func `a client that leaves before the answer cancels the backend and pays nothing`(
        _ body: String
    ) async throws {
        let cancelled = Door(isOpen: false)
        try await withGateway(backend: ScriptedBackend(.silence(cancelled))) { gateway in
            let client = try await RawClient.connect(gateway.port)
            client.send(RunningGateway.post(body))
            _ = await gateway.backend.calls.wait(for: 1)
            let left = ContinuousClock().now
            try await client.close()
            await cancelled.pass()
            #expect(ContinuousClock().now - left < .milliseconds(100))
            let settlements = await gateway.ledger.settlements.wait(for: 1)
            #expect(settlements.map(\.basis) == [.void])
            #expect(settlements.map(\.endState) == [.clientGone])
        }
    }

    @Test func `a client that leaves a stream cancels the backend and pays what was generated`()
        async throws
    {
        let fed = FedAnswer([[.text("abcdefgh")]], ends: false)
        try await withGateway(backend: ScriptedBackend(.answer(fed))) { gateway in
            let client = try await RawClient.connect(gateway.port)
            client.send(RunningGateway.post(RunningGateway.streaming))
            _ = await client.received("abcdefgh")
            let left = ContinuousClock().now
            try await client.close()
            await fed.cancelled.pass()
            #expect(ContinuousClock().now - left < .milliseconds(100))
            let settlements = await gateway.ledger.settlements.wait(for: 1)
            #expect(settlements.map(\.basis) == [.counted])
            #expect(settlements.map(\.endState) == [.clientGone])
            #expect(settlements.map(\.usage) == [TokenUsage(prompt: 2, completion: 2)])
        }
    }

    @Test func `a client that leaves while the ledger decides is settled as void`() async throws {
        let ledger = HeldLedger(accepting: false)
        let cancelled = Door(isOpen: false)
        try await withGateway(ledger: ledger, backend: ScriptedBackend(.silence(cancelled))) {
            gateway in
            let client = try await RawClient.connect(gateway.port)
            client.send(RunningGateway.post(RunningGateway.plain))
            _ = await gateway.backend.calls.wait(for: 1)
            try await client.close()
            await cancelled.pass()
            ledger.accepting.open()
            let settlements = await ledger.settlements.wait(for: 1)
            #expect(settlements.map(\.endState) == [.clientGone])
        }
    }

    @Test func `a settlement goes on when its client leaves meanwhile`() async throws {
        let ledger = HeldLedger(settling: false)
        try await withGateway(ledger: ledger, backend: ScriptedBackend(.text(["x"], nil))) {
            gateway in
            let client = try await RawClient.connect(gateway.port)
            client.send(RunningGateway.post(RunningGateway.plain))
            _ = await ledger.settlements.wait(for: 1)
            try await client.close()
            ledger.settling.open()
            let answer1 = try await gateway.post(RunningGateway.plain)
            #expect(answer1.hasPrefix("HTTP/1.1 200"))
            #expect(ledger.settlements.elements.map(\.endState) == [.finished, .finished])
        }
    }

    @Test func `a client that does not read is gone after a while`() async throws {
        let text = String(repeating: "x", count: 60_000)
        let events = (0..<200).map { BackendEvent.text(text, soFar: Int64($0)) }
        let fed = FedAnswer(events.map { [$0] }, ends: false)
        try await withGateway(
            backend: ScriptedBackend(.answer(fed)),
            { $0.connection.writeStallTime = .milliseconds(100) }
        ) { gateway in
            let client = try await RawClient.connect(gateway.port, reads: false)
            client.send(
                RunningGateway.post(
                    #"{"model":"large","stream":true,"messages":"hi","max_tokens":1000000}"#))
            await fed.cancelled.pass()
            let settlements = await gateway.ledger.settlements.wait(for: 1)
            #expect(settlements.map(\.endState) == [.clientGone])
            try await client.close()
        }
    }
}

@Suite struct Streams {
    @Test func `a silent stream is kept alive by comments`() async throws {
        let fed = FedAnswer([[.text("a")]], ends: false)
        try await withGateway(
            backend: ScriptedBackend(.answer(fed)), { $0.connection.pingTime = .milliseconds(20) }
        ) { gateway in
            let client = try await RawClient.connect(gateway.port)
            client.send(RunningGateway.post(RunningGateway.streaming))
            _ = await client.received(": ping\n\n", times: 3)
            fed.feed(.end())
            fed.feed(.success(nil))
            #expect(await client.received("[DONE]").contains("[DONE]"))
            try await client.close()
        }
    }

    /// A prompt may take minutes to read, and some models think unseen: what stands between closes a
    /// connection on which nothing moves.
    @Test(arguments: [true, false])
    func `a stream that is long in coming keeps its client by comments, and no plain answer does`(
        _ succeeds: Bool
    ) async throws {
        let fed = FedAnswer([], ends: false)
        let plainly = FedAnswer([], ends: false)
        try await withGateway(
            backend: ScriptedBackend(.answer(plainly), .answer(fed)),
            { $0.connection.pingTime = .milliseconds(20) }
        ) { gateway in
            let patient = try await RawClient.connect(gateway.port)
            patient.send(RunningGateway.post(RunningGateway.plain))
            _ = await gateway.backend.calls.wait(for: 1)
            let client = try await RawClient.connect(gateway.port)
            client.send(RunningGateway.post(RunningGateway.streaming))
            let soFar = await client.received(": ping\n\n", times: 3)
            #expect(soFar.hasPrefix("HTTP/1.1 200") && !soFar.contains("data:"))
            #expect(soFar.header("content-type") == "text/event-stream; charset=utf-8")
            for answer in [fed, plainly] {
                if succeeds {
                    answer.feed(.text("a"), .end())
                    answer.feed(.success(nil))
                } else {
                    answer.feed(.failure(.of(.invalidRequest)))
                }
            }
            let all = await client.received(succeeds ? "[DONE]" : "request_id")
            #expect(all.components(of: "HTTP/1.1") == 1)
            if succeeds {
                #expect(all.contains(#""content":"a""#))
            } else {
                let end = await client.rest()
                #expect(end.contains("\r\ndata: {\"error\":{") && !end.contains("[DONE]"))
            }
            try? await client.close()
            let whole = await patient.received(succeeds ? "stop_reason" : "request_id")
            #expect(whole.hasPrefix(succeeds ? "HTTP/1.1 200" : "HTTP/1.1 400"))
            #expect(!whole.contains(": ping"))
            try? await patient.close()
        }
    }

    /// A backend whose room is taken until the door opens, and which has none then.
    private struct FullBackend: Backend {
        let name = "full"
        let calls = Journal<BackendCall>()
        let door = Door(isOpen: false)
        var unavailability: BackendFailure? { nil }

        func unsupportedParameter(
            in request: ChatCompletionRequest, completionBound: Int64
        ) -> String? { nil }

        func forward(_ call: BackendCall) async throws(BackendFailure) -> any BackendAnswer {
            calls.append(call)
            await door.pass()
            throw .of(.busy(retryAfter: .seconds(2)))
        }
    }

    @Test func `a stream that waits in vain for room is told so by its status, however long`()
        async throws
    {
        let (full, fed) = (FullBackend(), FedAnswer([], ends: false))
        try await withGateway(
            backend: ScriptedBackend(.other(full), .answer(fed)),
            { $0.connection.pingTime = .milliseconds(20) }
        ) { gateway in
            let waiting = try await RawClient.connect(gateway.port)
            waiting.send(RunningGateway.post(RunningGateway.streaming))
            _ = await full.calls.wait(for: 1)
            let other = try await RawClient.connect(gateway.port)
            other.send(RunningGateway.post(RunningGateway.streaming))
            _ = await other.received(": ping\n\n", times: 3)
            #expect(waiting.soFar == "")
            fed.feed(.text("a"), .end())
            fed.feed(.success(nil))
            _ = await other.received("[DONE]")
            full.door.open()
            let told = await waiting.received("request_id")
            #expect(told.hasPrefix("HTTP/1.1 503") && told.header("retry-after") != nil)
            try? await waiting.close()
            try? await other.close()
        }
    }

    @Test func `an idle connection is closed in time`() async throws {
        try await withGateway(
            backend: ScriptedBackend(.text(["x"], nil)),
            { $0.connection.idleTime = .seconds(2) }
        ) { gateway in
            let client = try await RawClient.connect(gateway.port)
            client.send(RunningGateway.post(RunningGateway.plain))
            #expect(await client.rest().hasPrefix("HTTP/1.1 200"))
        }
    }
}

@Suite struct Draining {
    @Test func `a running stream finishes and its connection closes`() async throws {
        let fed = FedAnswer([[.text("a")]], ends: false)
        try await withGateway(backend: ScriptedBackend(.answer(fed))) { gateway in
            let client = try await RawClient.connect(gateway.port)
            client.send(RunningGateway.post(RunningGateway.streaming))
            _ = await client.received(#""content":"a""#)
            await gateway.services.triggerGracefulShutdown()
            fed.feed(.end())
            fed.feed(.success(nil))
            #expect(await client.rest().contains("[DONE]"))
        }
    }

    @Test func `a stream that does not finish in time is cut, settled and told so`() async throws {
        let fed = FedAnswer([[.text("a")]], ends: false)
        try await withGateway(
            backend: ScriptedBackend(.answer(fed)), { $0.drainTime = .milliseconds(50) }
        ) { gateway in
            let client = try await RawClient.connect(gateway.port)
            client.send(RunningGateway.post(RunningGateway.streaming))
            _ = await client.received(#""content":"a""#)
            await gateway.services.triggerGracefulShutdown()
            let all = await client.rest()
            #expect(all.contains("data: {\"error\":{") && !all.contains("[DONE]"))
            #expect(gateway.ledger.settlements.elements.map(\.endState) == [.drained])
            #expect(gateway.ledger.settlements.elements.map(\.basis) == [.counted])
        }
    }
}
