import Domain
import TestSupport
import Testing

@testable import Gateway

@Suite(.timeLimit(.minutes(1))) struct AnthropicUpstreams {
    private typealias Step = ScriptedUpstream.Step
    private static let key = MessagesUnderTest.key

    /// What a call ends with, and what was understood before.
    private func outcome(
        streams: Bool = true, _ steps: [Step]
    ) async throws -> (text: String, failure: BackendFailure?) {
        var text = ""
        var ending: BackendFailure?
        try await MessagesUnderTest.with(script: { _ in steps }) { backend, _ in
            ending = await failure {
                let answer = try await backend.forward(.ask("q", streams: streams))
                while let events = try await answer.next() {
                    for delta in events.flatMap(\.deltas) { text += delta.content ?? "" }
                }
            }
        }
        #expect(ending?.detail.contains(Self.key) != true)
        return (text, ending)
    }

    @Test(arguments: ["", "/", "/v1", "/v1/"])
    func `the upstream sees the gateway's own headers and no others`(base: String) async throws {
        try await MessagesUnderTest.with(base: base, script: ScriptedMessagesModel.answer) {
            backend, server in
            _ = try await WholeAnswer(backend.forward(.ask("q")))
            let request = await server.request(0)
            #expect(
                Set(request.headers.map(\.name)) == [
                    "host", "x-api-key", "anthropic-version", "content-type", "content-length",
                    "accept", "accept-encoding", "user-agent", "x-request-id",
                ])
            #expect(request.header("x-api-key") == Self.key)
            #expect(request.header("accept") == "text/event-stream")
            #expect(request.path == "/v1/messages")
        }
    }

    @Test func `the version of the API is the operator's to choose`() async throws {
        let script: @Sendable (ScriptedUpstream.Request) -> [Step] = {
            ScriptedMessage([.text(["a"])]).steps(for: $0)
        }
        try await MessagesUnderTest.with(change: { $0.version = "2027-01-01" }, script: script) {
            backend, server in
            _ = try await WholeAnswer(backend.forward(.ask("q")))
            #expect(await server.request(0).header("anthropic-version") == "2027-01-01")
        }
    }

    private static let errors: [(Int, String, [(String, String)], BackendFailure.Kind)] = [
        (400, "invalid_request_error", [], .invalidRequest),
        (401, "authentication_error", [], .unreachable), (402, "billing_error", [], .unreachable),
        (403, "permission_error", [], .unreachable), (404, "not_found_error", [], .unreachable),
        (413, "request_too_large", [], .invalidRequest),
        (429, "rate_limit_error", [("retry-after", "7")], .rateLimited(retryAfter: .seconds(7))),
        (429, "rate_limit_error", [], .rateLimited(retryAfter: nil)),
        (500, "api_error", [], .unreachable), (504, "timeout_error", [], .timedOut),
        (529, "overloaded_error", [], .rateLimited(retryAfter: .seconds(1))),
        (529, "overloaded_error", [("retry-after", "9")], .rateLimited(retryAfter: .seconds(9))),
        (200, "overloaded_error", [], .rateLimited(retryAfter: .seconds(1))),
    ]

    @Test(arguments: errors.indices, [true, false])
    func `a refusal is told by its kind, streamed or not`(row: Int, streams: Bool) async throws {
        let (status, type, headers, kind) = Self.errors[row]
        let body = ScriptedUpstream.messagesError(type, "your key \(Self.key) is odd")
        let (_, failure) = try await outcome(
            streams: streams, Step.json(status, body, headers: headers))
        #expect(failure?.kind == kind, "\(status) \(type)")
    }

    @Test func `a bound that the context has no room for is shortened once`() async throws {
        let script: @Sendable (ScriptedUpstream.Request) -> [Step] = { request in
            guard request.text.contains(#""max_tokens":64"#) else {
                return ScriptedMessage([.text(["a"])]).steps(for: request)
            }
            return Step.json(
                400,
                ScriptedUpstream.messagesError(
                    "invalid_request_error",
                    "input length and `max_tokens` exceed context limit: 180 + 64 > 200, decrease"
                ))
        }
        try await MessagesUnderTest.with(
            change: { $0.thinking = .budgeted(.init()) }, script: script
        ) {
            backend, server in
            let answer = try await WholeAnswer(backend.forward(.ask("q", bound: 64)))
            #expect(answer.text == "a")
            #expect(await server.request(1).text.contains(#""max_tokens":20"#))
            // Thoughts have no room in what is left, and nobody may drop them.
            let thinking = await failure {
                let call = BackendCall.ask("q", bound: 6400) {
                    $0.reasoning.effort = .low
                    $0.temperature = nil
                }
                _ = try await backend.forward(call)
            }
            guard case .contextExceeded? = thinking?.kind else {
                Issue.record("ended with \(String(describing: thinking))")
                return
            }
            #expect(server.requests.count == 3)
        }
    }

    @Test func `a client that asks for several answers has a call for each`() async throws {
        let script: @Sendable (ScriptedUpstream.Request) -> [Step] = { request in
            var message = ScriptedMessage([.text(["a", "b"])])
            message.usage.cacheRead = 4
            return message.steps(for: request)
        }
        for streams in [true, false] {
            try await MessagesUnderTest.with(script: script) { backend, server in
                let call = BackendCall.ask("q", streams: streams) { $0.choices = 3 }
                let answer = try await WholeAnswer(backend.forward(call))
                let deltas = answer.events.flatMap(\.deltas)
                for choice in 0..<3 {
                    let of = deltas.filter { $0.index == choice }
                    #expect(of.compactMap(\.content).joined() == "ab")
                    #expect(of.compactMap(\.finishReason) == [.stop])
                }
                #expect(answer.usage == TokenUsage(prompt: 16, cached: 4, completion: 27))
                #expect(server.requests.count == 3)
            }
        }
    }

    // MARK: Streams

    private static let events = ScriptedMessage([.text(["half", " done"])]).events

    private func steps(_ events: some Sequence<String>) -> [Step] {
        [.streamHead] + events.map { .body(Array($0.utf8)) }
    }

    @Test func `a stream with a reason to stop is whole without its end mark`() async throws {
        let (text, failure) = try await outcome(steps(Self.events.dropLast()) + [.end])
        #expect(text == "half done" && failure == nil)
    }

    @Test func `a stream that goes on behind its end is not waited for`() async throws {
        let (text, failure) = try await outcome(steps(Self.events) + [.silence])
        #expect(text == "half done" && failure == nil)
    }

    @Test func `a stream that ends without a word about it is malformed, after what it said`()
        async throws
    {
        let (text, failure) = try await outcome(steps(Self.events.prefix(5)) + [.end])
        #expect(text == "half done" && failure?.kind == .malformed)
    }

    @Test func `a stream of nothing but its end is no answer`() async throws {
        let stop = ScriptedMessage.event("message_stop", nil)
        #expect(try await outcome(steps([stop]) + [.silence]).failure?.kind == .malformed)
    }

    @Test func `an error inside of a stream ends it, after what it said`() async throws {
        let error = "event: error\ndata: \(ScriptedUpstream.messagesError("overloaded_error"))\n\n"
        let (text, failure) = try await outcome(
            steps(Self.events.prefix(4) + [error]) + [.silence])
        #expect(text == "half")
        #expect(failure?.kind == .rateLimited(retryAfter: .seconds(1)))
    }

    @Test func `an error in front of all text is told before anything is`() async throws {
        let error = "event: error\ndata: \(ScriptedUpstream.messagesError("overloaded_error"))\n\n"
        try await MessagesUnderTest.with(script: { _ in
            [.streamHead, .body(Array((Self.events[0] + Self.events[1] + error).utf8)), .silence]
        }) { backend, _ in
            let answer = try await backend.forward(.ask("q"))
            let first = await failure { _ = try await answer.next() }
            #expect(first?.kind == .rateLimited(retryAfter: .seconds(1)))
        }
    }

    @Test func `a plain answer is streamed, and a whole one where a stream was asked for is taken`()
        async throws
    {
        let whole = ScriptedMessage([.text(["all"])]).whole
        let (text, failure) = try await outcome(Step.json(200, whole))
        #expect(text == "all" && failure == nil)
        let plain = try await outcome(streams: false, steps(Self.events) + [.silence])
        #expect(plain.text == "half done" && plain.failure == nil)
    }
}
