import Domain
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// Two backends, `local` first and `spare` behind it, as scripted.
func withTwoBackends(
    _ local: ScriptedBackend, _ spare: ScriptedBackend, ledger: HeldLedger = HeldLedger(),
    time: any TimeSource = MachineTime(), weights: [Int64?] = [nil, nil],
    _ policy: RoutingPolicy = RoutingPolicy(), _ body: (RunningGateway) async throws -> Void
) async throws {
    var route = ModelRoute(
        alias: "tiny", backends: ["local", "spare"], upstreamModel: "tiny.gguf",
        contextTokens: 1024, maximumCompletionTokens: 512, imageTokens: nil, price: nil)
    route.targets = [
        RouteTarget(backend: "local", weight: weights[0], upstreamModel: nil),
        RouteTarget(backend: "spare", weight: weights[1], upstreamModel: "other.gguf"),
    ]
    try await withGateway(
        ledger: ledger, backend: local, others: [spare], routes: [route], time: time,
        { $0.routing = policy }, body)
}

extension BackendFailure {
    /// A failure of a kind.
    static func of(_ kind: Kind) -> BackendFailure {
        BackendFailure(kind: kind, detail: "10.0.0.1 said no")
    }
}

@Suite struct Retries {
    static let bodies = [RunningGateway.plain, RunningGateway.streaming]
    static let others: [BackendFailure.Kind] = [
        .unreachable, .timedOut, .notReady(retryAfter: .seconds(2)), .rateLimited(retryAfter: nil),
        .rateLimited(retryAfter: .seconds(9)),
    ]

    @Test(arguments: others, bodies)
    func `what one backend cannot do the next does, and the client pays for that one only`(
        _ kind: BackendFailure.Kind, _ body: String
    ) async throws {
        let local = ScriptedBackend(.failure(.of(kind)))
        let spare = ScriptedBackend(
            .text(["hel", "lo"], TokenUsage(prompt: 3, completion: 2)), name: "spare")
        try await withTwoBackends(local, spare) { gateway in
            let answer = try await gateway.post(body)
            #expect(answer.hasPrefix("HTTP/1.1 200") && answer.contains("lo"))
            #expect(local.calls.elements.map(\.upstreamModel) == ["tiny.gguf"])
            #expect(spare.calls.elements.map(\.upstreamModel) == ["other.gguf"])
            let settlements = gateway.ledger.settlements.elements
            #expect(settlements.map(\.usage) == [TokenUsage(prompt: 3, completion: 2)])
            let attempts = settlements[0].attempts
            #expect(attempts.map(\.backend) == ["local", "spare"])
            #expect(attempts.map(\.outcome) == [BackendFailure.of(kind).outcome, .answered])
        }
    }

    @Test(
        arguments: [
            .invalidRequest, .contextExceeded(promptTokens: nil, contextTokens: nil), .malformed,
        ] as [BackendFailure.Kind], bodies)
    func `a client's mistake, and an answer without sense, are not tried elsewhere`(
        _ kind: BackendFailure.Kind, _ body: String
    ) async throws {
        let local = ScriptedBackend(.failure(.of(kind)))
        let spare = ScriptedBackend(.text(["x"], nil), name: "spare")
        try await withTwoBackends(local, spare) { gateway in
            let answer = try await gateway.post(body)
            #expect(!answer.hasPrefix("HTTP/1.1 200"))
            #expect(local.calls.elements.count == 1 && spare.calls.elements.isEmpty)
            let attempts = gateway.ledger.settlements.elements.flatMap(\.attempts)
            #expect(attempts.map(\.outcome) == [BackendFailure.of(kind).outcome])
        }
    }

    @Test(arguments: bodies)
    func `the first good answer leaves no attempts to record`(_ body: String) async throws {
        try await withTwoBackends(
            ScriptedBackend(.text(["x"], nil)), ScriptedBackend(.text(["y"], nil), name: "spare")
        ) { gateway in
            _ = try await gateway.post(body)
            #expect(gateway.ledger.settlements.elements.map(\.attempts) == [[]])
        }
    }

    @Test func `nothing is tried again once the client has had a byte`() async throws {
        let fed = FedAnswer([[.text("abc")]], ends: false)
        let spare = ScriptedBackend(.text(["y"], nil), name: "spare")
        try await withTwoBackends(ScriptedBackend(.answer(fed)), spare) { gateway in
            let client = try await RawClient.connect(gateway.port)
            client.send(RunningGateway.post(RunningGateway.streaming))
            _ = await client.received(#""content":"abc""#)
            fed.feed(.failure(.of(.unreachable)))
            let all = await client.rest()
            #expect(all.contains(#""code":"upstream_unavailable""#))
            #expect(spare.calls.elements.isEmpty)
            #expect(gateway.ledger.settlements.elements.map(\.usage.completion) == [1])
        }
    }

    @Test func `a whole answer that breaks off is begun elsewhere, and its tokens are recorded`()
        async throws
    {
        let fed = FedAnswer([[.text("abc"), .text("def")]], ends: false)
        fed.feed(.failure(.of(.unreachable)))
        let spare = ScriptedBackend(
            .text(["good"], TokenUsage(prompt: 3, completion: 1)), name: "spare")
        try await withTwoBackends(ScriptedBackend(.answer(fed)), spare) { gateway in
            let answer = try await gateway.post(RunningGateway.plain)
            #expect(answer.contains(#""content":"good""#) && !answer.contains("abc"))
            let settlements = gateway.ledger.settlements.elements
            #expect(settlements.map(\.usage) == [TokenUsage(prompt: 3, completion: 1)])
            let first = settlements[0].attempts.first
            #expect(first?.outcome == .unreachable)
            #expect(first?.usage?.completion == 2)
        }
    }

    @Test func `a backend that is alone is tried again after a wait, as often as is allowed`()
        async throws
    {
        var policy = RoutingPolicy()
        policy.attempts = 3
        policy.backoff = .milliseconds(1)
        let backend = ScriptedBackend(
            .failure(.of(.unreachable)), .failure(.of(.unreachable)), .text(["x"], nil))
        try await withGateway(backend: backend, { $0.routing = policy }) { gateway in
            let answer = try await gateway.post(RunningGateway.plain)
            #expect(answer.hasPrefix("HTTP/1.1 200"))
            #expect(backend.calls.elements.count == 3)
            let attempts = gateway.ledger.settlements.elements.flatMap(\.attempts)
            #expect(attempts.map(\.outcome) == [.unreachable, .unreachable, .answered])
        }
    }

    @Test(arguments: [.timedOut, .rateLimited(retryAfter: nil)] as [BackendFailure.Kind])
    func `a slow or busy backend that is alone is not asked again`(_ kind: BackendFailure.Kind)
        async throws
    {
        let backend = ScriptedBackend(.failure(.of(kind)))
        try await withGateway(backend: backend) { gateway in
            _ = try await gateway.post(RunningGateway.plain)
            #expect(backend.calls.elements.count == 1)
        }
    }

    @Test func `a client that left while its backend failed is not tried for again`() async throws {
        let ended = Door(isOpen: false)
        let spare = ScriptedBackend(.text(["y"], nil), name: "spare")
        try await withTwoBackends(ScriptedBackend(.silence(ended)), spare) { gateway in
            let client = try await RawClient.connect(gateway.port)
            client.send(RunningGateway.post(RunningGateway.plain))
            _ = await gateway.ledger.admissions.wait(for: 1)
            _ = await gateway.backend.calls.wait(for: 1)
            try await client.close()
            let settlements = await gateway.ledger.settlements.wait(for: 1)
            #expect(settlements.map(\.endState) == [.clientGone])
            #expect(settlements[0].attempts.isEmpty)
            #expect(spare.calls.elements.isEmpty)
        }
    }

    @Test func `an outage is not amplified beyond the budget`() async throws {
        var policy = RoutingPolicy()
        policy.attempts = 3
        policy.backoff = .milliseconds(1)
        policy.breaker.consecutiveFailures = 100_000
        policy.breaker.failurePercent = 100
        policy.breaker.minimumCalls = 100_000
        let backend = ScriptedBackend(.failure(.of(.unreachable)))
        try await withGateway(backend: backend, { $0.routing = policy }) { gateway in
            let began = ContinuousClock.now
            for _ in 0..<100 { _ = try await gateway.post(RunningGateway.plain) }
            // A hundred, a fifth of them, and the floor of ten, which comes again every ten seconds.
            let floors = Int((ContinuousClock.now - began) / .seconds(10)) + 2
            #expect((101...(120 + 10 * floors)).contains(backend.calls.elements.count))
        }
    }

    @Test func `a deadline for the whole ends the attempt that runs and allows no other`()
        async throws
    {
        var policy = RoutingPolicy()
        policy.deadline = .milliseconds(30)
        let ended = Door(isOpen: false)
        let spare = ScriptedBackend(.text(["y"], nil), name: "spare")
        try await withTwoBackends(ScriptedBackend(.silence(ended)), spare, policy) { gateway in
            let answer = try await gateway.post(RunningGateway.streaming)
            await ended.pass()
            #expect(answer.hasPrefix("HTTP/1.1 504"))
            #expect(spare.calls.elements.isEmpty)
            let attempts = gateway.ledger.settlements.elements.flatMap(\.attempts)
            #expect(attempts.map(\.outcome) == [.timedOut])
        }
    }

    @Test func `a deadline for the whole ends a whole answer that drips`() async throws {
        var policy = RoutingPolicy()
        policy.deadline = .milliseconds(30)
        let fed = FedAnswer([[.text("abc")]], ends: false)
        let spare = ScriptedBackend(.text(["y"], nil), name: "spare")
        try await withTwoBackends(ScriptedBackend(.answer(fed)), spare, policy) { gateway in
            let answer = try await gateway.post(RunningGateway.plain)
            #expect(answer.hasPrefix("HTTP/1.1 504"))
            let attempts = gateway.ledger.settlements.elements.flatMap(\.attempts)
            #expect(attempts.map(\.outcome) == [.timedOut])
            #expect(attempts.first?.usage?.completion == 1)
        }
    }

    @Test func `what is reserved covers every backend that may answer`() async throws {
        let local = ScriptedBackend(.failure(.of(.unreachable)))
        let spare = ScriptedBackend(.text(["y"], nil), name: "spare")
        local.count.withLock { $0 = .success(5) }
        spare.count.withLock { $0 = .success(70) }
        try await withTwoBackends(local, spare) { gateway in
            _ = try await gateway.post(RunningGateway.plain)
            #expect(gateway.ledger.admissions.elements.map(\.bound.prompt) == [70])
        }
    }
}
