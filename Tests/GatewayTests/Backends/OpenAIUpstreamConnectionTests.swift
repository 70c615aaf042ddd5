import Domain
import TestSupport
import Testing

@testable import Gateway

@Suite(.timeLimit(.minutes(1))) struct OpenAIUpstreamConnections {
    private typealias Step = ScriptedUpstream.Step

    @Test func `one connection serves one stream after another`() async throws {
        try await UpstreamUnderTest.with(script: ScriptedDemoModel.answer) { backend, server in
            for _ in 0..<5 { _ = try await WholeAnswer(backend.forward(.ask("q"))) }
            #expect(server.connectionCount == 1)
        }
    }

    @Test func `an end mark without an end does not keep the client waiting`() async throws {
        try await UpstreamUnderTest.with(script: { _ in
            [.streamHead, .say("a")] + Step.finish(prompt: 1, completion: 1).dropLast() + [.silence]
        }) { backend, server in
            let start = ContinuousClock.now
            let answer = try await WholeAnswer(backend.forward(.ask("q")))
            #expect(answer.text == "a")
            #expect(ContinuousClock.now - start < .seconds(2))
            _ = await server.departure(from: 0)
        }
    }

    @Test func `a connection that saw a cancel is closed at once and never used again`()
        async throws
    {
        try await UpstreamUnderTest.with(script: ScriptedDemoModel.answer) { backend, server in
            for round in 0..<5 {
                let answer = try await backend.forward(.ask("Tell a story.", bound: 900))
                _ = try await answer.next()
                let start = ContinuousClock.now
                answer.cancel()
                let left = await server.departure(from: round)
                #expect(left - start < .milliseconds(100))
            }
            #expect(server.connectionCount == 5)
        }
    }

    @Test func `an answer that is dropped unread closes its connection`() async throws {
        try await UpstreamUnderTest.with(script: ScriptedDemoModel.answer) { backend, server in
            _ = try await backend.forward(.ask("Tell a story.", bound: 900))
            _ = await server.departure(from: 0)
        }
    }

    @Test func `a call on a connection that the upstream had closed is sent once more`()
        async throws
    {
        try await UpstreamUnderTest.with(script: { request in
            // The second request of a connection finds it closed.
            request.connection == 0 && request.text.contains("second")
                ? [.drop] : ScriptedDemoModel.answer(request)
        }) { backend, server in
            _ = try await WholeAnswer(backend.forward(.ask("first")))
            _ = try await WholeAnswer(backend.forward(.ask("second")))
            #expect(server.requests.map(\.connection) == [0, 0, 1])
        }
    }

    @Test func `a call that a new connection swallows is not sent again`() async throws {
        try await UpstreamUnderTest.with(script: { _ in [.drop] }) { backend, server in
            let ending = await failure { _ = try await backend.forward(.ask("q")) }
            #expect(ending?.kind == .unreachable)
            #expect(server.requests.count == 1)
        }
    }

    @Test func `an upstream that closes after each stream gets fresh connections`() async throws {
        try await UpstreamUnderTest.with(
            change: { $0.quirks.usesFreshConnections = true }, script: ScriptedDemoModel.answer
        ) { backend, server in
            for _ in 0..<3 { _ = try await WholeAnswer(backend.forward(.ask("q"))) }
            #expect(server.connectionCount == 3)
        }
    }

    @Test func `an upstream that is away is unreachable`() async throws {
        try await UpstreamUnderTest.with(script: { _ in [] }) { backend, server in
            server.stop()
            _ = await failure { _ = try await backend.forward(.ask("q")) }
            let ending = await failure { _ = try await backend.forward(.ask("q")) }
            #expect(ending?.kind == .unreachable)
        }
    }
}
