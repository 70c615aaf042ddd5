import Domain
import TestSupport
import Testing

@testable import Gateway

@Suite struct Shadowed {
    /// A gateway whose route `tiny` has a shadow for so many of a hundred requests.
    private func withShadow(
        _ shadow: ScriptedBackend, percent: Int64 = 100, calls: Int64 = 8, pays: Bool = true,
        local: ScriptedBackend = ScriptedBackend(.text(["hello"], nil)),
        _ body: (RunningGateway) async throws -> Void
    ) async throws {
        var route = ModelRoute(
            alias: "tiny", backends: ["local"], upstreamModel: "tiny.gguf", contextTokens: 1024,
            maximumCompletionTokens: 512, imageTokens: nil, price: nil)
        route.shadow = RouteShadow(
            target: RouteTarget(backend: "shadow", weight: nil, upstreamModel: "new.gguf"),
            percent: percent)
        try await withGateway(
            backend: local, others: [shadow], routes: [route],
            {
                $0.routing.shadowCalls = calls
                if pays { $0.shadowKey = Array(OneKey.judgeSecret.utf8) }
            }, body)
    }

    @Test(arguments: [RunningGateway.plain, RunningGateway.streaming])
    func `a copy goes there, is paid by the operator, and its answer is nobody's`(
        _ body: String
    ) async throws {
        let shadow = ScriptedBackend(
            .text(["secret"], TokenUsage(prompt: 5, completion: 6)), name: "shadow")
        try await withShadow(shadow) { gateway in
            let answer = try await gateway.post(body)
            #expect(answer.contains("hello") && !answer.contains("secret"))
            let settlements = await gateway.ledger.settlements.wait(for: 2)
            #expect(shadow.calls.elements.map(\.upstreamModel) == ["new.gguf"])
            #expect(gateway.backend.calls.elements.count == 1)
            let admitted = gateway.ledger.admissions.elements
            #expect(admitted.map(\.principal.key.rawValue).sorted() == [42, 43])
            let copy = admitted.first { $0.principal.key.rawValue == 43 }
            #expect(copy?.backend == "shadow")
            #expect(settlements.map(\.usage).contains(TokenUsage(prompt: 5, completion: 6)))
        }
    }

    @Test func `a shadow that is slow or fails delays and fails nothing, and is not tried again`()
        async throws
    {
        let ended = Door(isOpen: false)
        let shadow = ScriptedBackend(
            .failure(.of(.unreachable)), .silence(ended), name: "shadow")
        try await withShadow(shadow) { gateway in
            for _ in 0..<2 {
                let answer = try await gateway.post(RunningGateway.plain)
                #expect(answer.hasPrefix("HTTP/1.1 200"))
            }
            #expect(await shadow.calls.wait(for: 2).count == 2)
        }
        // The stop of the gateway ended the one that was silent.
        await ended.pass()
        #expect(shadow.calls.elements.count == 2)
    }

    @Test func `no more copies run at a time than may`() async throws {
        let shadow = ScriptedBackend(.silence(Door(isOpen: false)), name: "shadow")
        try await withShadow(shadow, calls: 2) { gateway in
            for _ in 0..<6 { _ = try await gateway.post(RunningGateway.plain) }
            _ = await shadow.calls.wait(for: 2)
            #expect(shadow.calls.elements.count == 2)
            #expect(gateway.backend.calls.elements.count == 6)
        }
    }

    @Test func `none of a hundred is none, and without who pays there are no copies`() async throws
    {
        let shadow = ScriptedBackend(.text(["x"], nil), name: "shadow")
        for (percent, pays) in [(Int64(0), true), (100, false)] {
            try await withShadow(shadow, percent: percent, pays: pays) { gateway in
                for _ in 0..<10 { _ = try await gateway.post(RunningGateway.plain) }
            }
        }
        #expect(shadow.calls.elements.isEmpty)
    }

    @Test func `a request that is refused is not copied`() async throws {
        let shadow = ScriptedBackend(.text(["x"], nil), name: "shadow")
        try await withShadow(shadow) { gateway in
            gateway.ledger.answer { $0.admitFault = .unavailable }
            _ = try await gateway.post(RunningGateway.plain)
        }
        #expect(shadow.calls.elements.isEmpty)
    }
}

@Suite struct ShownBackends {
    @Test(arguments: [RunningGateway.plain, RunningGateway.streaming])
    func `clients are told who answered only where that is allowed`(_ body: String) async throws {
        for shows in [false, true] {
            var policy = RoutingPolicy()
            policy.showsBackends = shows
            let local = ScriptedBackend(.failure(.of(.timedOut)))
            let spare = ScriptedBackend(.text(["y"], nil), name: "spare")
            try await withTwoBackends(local, spare, policy) { gateway in
                let answer = try await gateway.post(body)
                #expect(answer.header("x-turnpike-backend") == (shows ? "spare" : nil))
                #expect(answer.header("x-turnpike-attempts") == (shows ? "2" : nil))
                #expect(shows || !answer.contains("spare"))
            }
        }
    }
}
