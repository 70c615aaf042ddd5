import Domain
import TestSupport
import Testing

@testable import Gateway

@Suite struct Breakers {
    @Test func `a backend that keeps failing is passed over, then probed, then used again`()
        async throws
    {
        let time = TestTime()
        let local = ScriptedBackend(.failure(.of(.timedOut)))
        let spare = ScriptedBackend(.text(["y"], nil), name: "spare")
        try await withTwoBackends(local, spare, time: time) { gateway in
            for _ in 0..<8 {
                let answer = try await gateway.post(RunningGateway.plain)
                #expect(answer.hasPrefix("HTTP/1.1 200"))
            }
            // Five failures opened it; the others went straight to the next, and are no retries.
            #expect(local.calls.elements.count == 5)
            #expect(spare.calls.elements.count == 8)
            let last = gateway.ledger.settlements.elements.last
            #expect(last?.attempts.isEmpty == true)
            #expect(gateway.ledger.admissions.elements.last?.backend == "spare")
            time.advance(by: .seconds(5))
            local.script(.text(["back"], nil))
            let probe = try await gateway.post(RunningGateway.plain)
            #expect(probe.contains("back"))
            _ = try await gateway.post(RunningGateway.plain)
            #expect(local.calls.elements.count == 7)
        }
    }

    @Test func `an open breaker without another backend is 503 before anything is reserved`()
        async throws
    {
        let time = TestTime()
        let backend = ScriptedBackend(.failure(.of(.timedOut)))
        try await withGateway(backend: backend, time: time) { gateway in
            for _ in 0..<5 { _ = try await gateway.post(RunningGateway.plain) }
            let answer = try await gateway.post(RunningGateway.plain)
            #expect(answer.hasPrefix("HTTP/1.1 503"))
            #expect(answer.contains(#""code":"server_is_overloaded""#))
            #expect((answer.header("retry-after").flatMap { Int($0) } ?? 0) >= 5)
            #expect(backend.calls.elements.count == 5)
            #expect(gateway.ledger.admissions.elements.count == 5)
        }
    }

    @Test func `a backend that says for how long rests for so long`() async throws {
        let time = TestTime()
        let local = ScriptedBackend(
            .failure(.of(.rateLimited(retryAfter: .seconds(7)))), .text(["x"], nil))
        let spare = ScriptedBackend(.text(["y"], nil), name: "spare")
        try await withTwoBackends(local, spare, time: time) { gateway in
            _ = try await gateway.post(RunningGateway.plain)
            time.advance(by: .seconds(6))
            _ = try await gateway.post(RunningGateway.plain)
            #expect(local.calls.elements.count == 1)
            time.advance(by: .seconds(1))
            _ = try await gateway.post(RunningGateway.plain)
            #expect(local.calls.elements.count == 2)
        }
    }

    @Test func `a credential that rests leaves the backend to others`() async throws {
        var failure = BackendFailure.of(.rateLimited(retryAfter: .seconds(7)))
        failure.isOfCredential = true
        let local = ScriptedBackend(.failure(failure))
        let spare = ScriptedBackend(.text(["y"], nil), name: "spare")
        try await withTwoBackends(local, spare, time: TestTime()) { gateway in
            for _ in 0..<8 {
                let answer = try await gateway.post(RunningGateway.plain)
                #expect(answer.hasPrefix("HTTP/1.1 200"))
            }
            #expect(local.calls.elements.count == 8)
        }
    }

    @Test func `clients that leave, and their mistakes, open nothing`() async throws {
        let local = ScriptedBackend(.failure(.of(.invalidRequest)))
        try await withGateway(backend: local) { gateway in
            for _ in 0..<20 { _ = try await gateway.post(RunningGateway.plain) }
            #expect(local.calls.elements.count == 20)
            local.script(.silence(Door(isOpen: false)))
            for index in 1...20 {
                let client = try await RawClient.connect(gateway.port)
                client.send(RunningGateway.post(RunningGateway.plain))
                _ = await local.calls.wait(for: 20 + index)
                try await client.close()
                _ = await gateway.ledger.settlements.wait(for: 20 + index)
            }
            local.script(.text(["x"], nil))
            let answer = try await gateway.post(RunningGateway.plain)
            #expect(answer.hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test func `answers that keep breaking off open the breaker too`() async throws {
        let local = ScriptedBackend(
            (0..<5).map { _ in
                let fed = FedAnswer([[.text("abc")]], ends: false)
                fed.feed(.failure(.of(.unreachable)))
                return .answer(fed)
            })
        let spare = ScriptedBackend(.text(["y"], nil), name: "spare")
        var policy = RoutingPolicy()
        policy.breaker.minimumCalls = 8
        try await withTwoBackends(local, spare, policy) { gateway in
            for _ in 0..<4 { _ = try await gateway.post(RunningGateway.streaming) }
            // Each began well and ended badly: half of eight.
            let answer = try await gateway.post(RunningGateway.streaming)
            #expect(answer.contains(#""content":"y""#))
            #expect(local.calls.elements.count == 4)
        }
    }

    @Test func `a share of the requests goes to each weighted backend`() async throws {
        let local = ScriptedBackend(.text(["x"], nil))
        let spare = ScriptedBackend(.text(["y"], nil), name: "spare")
        try await withTwoBackends(local, spare, weights: [1, 1]) { gateway in
            for _ in 0..<60 { _ = try await gateway.post(RunningGateway.plain) }
            // All sixty on one side: once in 10^18 runs.
            #expect(!local.calls.elements.isEmpty && !spare.calls.elements.isEmpty)
            #expect(local.calls.elements.count + spare.calls.elements.count == 60)
        }
    }
}
