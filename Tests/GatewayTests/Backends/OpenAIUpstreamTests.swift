import Curl
import Domain
import TestSupport
import Testing

@testable import Gateway

@Suite(.timeLimit(.minutes(1))) struct OpenAIUpstreams {
    private typealias Step = ScriptedUpstream.Step

    @Test func `the upstream sees the gateway's own headers and no others`() async throws {
        try await UpstreamUnderTest.with(script: ScriptedDemoModel.answer) { backend, server in
            _ = try await WholeAnswer(backend.forward(.ask("q")))
            let request = await server.request(0)
            #expect(
                Set(request.headers.map(\.name)) == [
                    "host", "authorization", "content-type", "content-length", "accept",
                    "accept-encoding", "user-agent", "x-request-id",
                ])
            #expect(request.header("authorization") == "Bearer \(UpstreamUnderTest.key)")
            #expect(request.header("user-agent") == "turnpike")
            #expect(request.path == "/v1/chat/completions")
        }
    }

    @Test(arguments: [301, 302, 303, 307, 308])
    func `a redirect is malformed and the credential goes nowhere else`(
        status: Int
    ) async throws {
        let other = try ScriptedUpstream(script: ScriptedDemoModel.answer)
        defer { other.stop() }
        let location = other.baseURL + "/chat/completions"
        let (_, failure) = try await UpstreamUnderTest.outcome(
            Step.json(status, "{}", headers: [("location", location)]))
        #expect(failure?.kind == .malformed)
        #expect(other.connectionCount == 0)
    }

    private static let vLLMContext =
        #"{"object":"error","message":"This model's maximum context length is 4096 tokens."}"#
    private static let engineContext =
        #"{"error":{"code":400,"type":"exceed_context_size_error","n_prompt_tokens":20,"n_ctx":10}}"#
    private static let errors: [(Int, String, [(String, String)], BackendFailure.Kind)] = [
        (400, #"{"error":{"message":"m","type":"invalid_request_error"}}"#, [], .invalidRequest),
        (
            400, #"{"error":{"message":"m","code":"context_length_exceeded"}}"#, [],
            .contextExceeded(promptTokens: nil, contextTokens: nil)
        ),
        (
            400, vLLMContext,
            [], .contextExceeded(promptTokens: nil, contextTokens: 4096)
        ),
        (
            400, engineContext,
            [], .contextExceeded(promptTokens: 20, contextTokens: 10)
        ),
        (
            401, #"{"error":{"message":"Incorrect API key provided: sk-upstream-0123456789"}}"#, [],
            .unreachable
        ),
        (403, "{}", [], .unreachable), (404, #"{"error":"no such model"}"#, [], .unreachable),
        (408, "", [], .timedOut), (413, "", [], .invalidRequest), (422, "", [], .invalidRequest),
        (
            429, #"{"error":{"type":"tokens"}}"#, [("retry-after", "7")],
            .rateLimited(retryAfter: .seconds(7))
        ),
        (
            429, #"{"type":"error","error":{"type":"rate_limit_error","message":"m"}}"#,
            [("retry-after-ms", "250"), ("retry-after", "1")],
            .rateLimited(retryAfter: .milliseconds(250))
        ),
        (
            429, "", [("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT")],
            .rateLimited(retryAfter: nil)
        ),
        (429, "", [("retry-after", "-5")], .rateLimited(retryAfter: nil)),
        (
            500, #"{"error":{"type":"comet_api_error","param":"","code":"invalid_request"}}"#, [],
            .invalidRequest
        ), (500, #"{"error":{"type":"comet_api_error","code":""}}"#, [], .unreachable),
        (500, "Internal Server Error", [], .unreachable), (502, "<html>", [], .unreachable),
        (
            503, #"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#,
            [("retry-after", "3")], .notReady(retryAfter: .seconds(3))
        ),
        (504, "", [], .timedOut),
        (
            529, #"{"type":"error","error":{"type":"overloaded_error"}}"#, [],
            .rateLimited(retryAfter: .seconds(1))
        ), (529, "", [("retry-after", "4")], .rateLimited(retryAfter: .seconds(4))),
        (
            503,
            #"{"error":{"type":"service_unavailable_error","code":"server_is_overloaded"}}"#, [],
            .rateLimited(retryAfter: .seconds(1))
        ),
        (204, "", [], .malformed), (201, "{}", [], .malformed),
    ]

    @Test(arguments: errors.indices)
    func `an upstream's refusal is told by its kind`(row: Int) async throws {
        let (status, body, headers, kind) = Self.errors[row]
        let (_, failure) = try await UpstreamUnderTest.outcome(
            Step.json(status, body, headers: headers))
        #expect(failure?.kind == kind, "\(status) \(body)")
    }

    private static let named: [(String, RequestFault.Code?, String?)] = [
        (
            #""param":"temperature","code":"unsupported_parameter""#, .unsupportedParameter,
            "temperature"
        ),
        (#""param":"temperature","code":"unsupported_value""#, .invalidValue, "temperature"),
        (#""param":"messages[2].content","code":"x""#, nil, "messages[2].content"),
        (#""param":"sk-upstream","code":"invalid_value""#, nil, nil),
        (#""param":"temperature sk-1","code":"invalid_value""#, nil, nil),
        (#""param":null,"code":"invalid_value""#, nil, nil), (#""code":null"#, nil, nil),
    ]

    @Test(arguments: named.indices)
    func `what an upstream names as wrong is told by that name, if it is one of ours`(
        row: Int
    ) async throws {
        let (members, code, parameter) = Self.named[row]
        let body = #"{"error":{"message":"secret","type":"invalid_request_error",\#(members)}}"#
        let (_, failure) = try await UpstreamUnderTest.outcome(Step.json(400, body))
        #expect(failure?.kind == .invalidRequest)
        #expect(failure?.fault?.parameter == parameter && failure?.fault?.code == code)
        #expect(failure?.fault?.message.contains("secret") != true)
        let (_, other) = try await UpstreamUnderTest.outcome(Step.json(500, body))
        #expect(other?.fault == nil)
    }

    @Test func `a refusal whose body never ends is cut and still told`() async throws {
        let endless = [UInt8](repeating: 120, count: 200_000)
        let (_, failure) = try await UpstreamUnderTest.outcome([
            .head(500, [("content-type", "text/plain")]), .body(endless), .silence,
        ])
        #expect(failure?.kind == .unreachable)
        #expect((failure?.detail.utf8.count ?? .max) < 600)
    }

    // MARK: Streams

    @Test func `a stream with a reason to finish is whole without its end mark`() async throws {
        let steps: [Step] =
            [
                .streamHead, .say("a"),
                .event(#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#),
            ]
        let (text, failure) = try await UpstreamUnderTest.outcome(steps + [.end])
        #expect(text == "a")
        #expect(failure == nil)
    }

    @Test func `a stream that ends without a word about it is malformed, after what it said`()
        async throws
    {
        let (text, failure) = try await UpstreamUnderTest.outcome([.streamHead, .say("half"), .end])
        #expect(text == "half")
        #expect(failure?.kind == .malformed)
    }

    @Test(arguments: [true, false])
    func `a stream that breaks off is unreachable, after what it said`(
        resets: Bool
    ) async throws {
        let gate = ScriptedUpstream.Gate()
        try await UpstreamUnderTest.with(script: { _ in
            [.streamHead, .say("half"), .wait(gate), resets ? .reset : .drop]
        }) { backend, _ in
            let answer = try await backend.forward(.ask("q"))
            let first = try await answer.next()
            #expect(first?.first?.deltas.first?.content == "half")
            gate.open()
            let ending = await failure { _ = try await answer.next() }
            #expect(ending?.kind == .unreachable)
            let again = await failure { _ = try await answer.next() }
            #expect(again == ending)
        }
    }

    @Test func `what came before an error inside of the stream is delivered first`() async throws {
        let (text, failure) = try await UpstreamUnderTest.outcome([
            .streamHead,
            .body(
                Array(
                    ("data: {\"choices\":[{\"delta\":{\"content\":\"ab\"}}]}\n\n"
                        + "data: {\"err").utf8)),
            .body(Array("or\":{\"type\":\"overloaded_error\"}}\n\n".utf8)), .silence,
        ])
        #expect(text == "ab")
        #expect(failure?.kind == .rateLimited(retryAfter: .seconds(1)))
    }

    @Test(arguments: [
        "data: {\"choices\":[{\"delta\":{\"content\":\"\u{1}\"}}]}\n\n",
        "data: not json\n\n", "data: {\"a\":1} {\"b\":2}\n\n", "data: [DONE]\n\n",
        "data: {\"choices\":[{\"delta\"\n\n",
    ])
    func `an event that is no chunk ends the answer as malformed`(event: String) async throws {
        let (_, failure) = try await UpstreamUnderTest.outcome([
            .streamHead, .body(Array(event.utf8)), .silence,
        ])
        #expect(failure?.kind == .malformed)
    }

    @Test func `broken UTF-8 is malformed`() async throws {
        let event =
            Array("data: {\"choices\":[{\"delta\":{\"content\":\"".utf8) + [0xC3, 0x28]
            + Array("\"}}]}\n\n".utf8)
        let (_, failure) = try await UpstreamUnderTest.outcome([
            .streamHead, .body(event), .silence,
        ])
        #expect(failure?.kind == .malformed)
    }

    @Test func `a character split between two reads arrives whole`() async throws {
        let event = Array("data: {\"choices\":[{\"delta\":{\"content\":\"ä😀\"}}]}\n\n".utf8)
        let steps: [Step] = [.streamHead] + event.map { .body([$0]) }
        let (text, failure) = try await UpstreamUnderTest.outcome(
            steps + Step.finish(prompt: 1, completion: 1))
        #expect(text == "ä😀")
        #expect(failure == nil)
    }

    @Test func `an event larger than a mebibyte ends the answer as malformed`() async throws {
        let (_, failure) = try await UpstreamUnderTest.outcome([
            .streamHead, .body(Array("data: ".utf8)),
            .body([UInt8](repeating: 120, count: 2 << 20)), .silence,
        ])
        #expect(failure?.kind == .malformed)
    }

    @Test func `an answer beyond its largest size ends as malformed`() async throws {
        let (_, failure) = try await UpstreamUnderTest.outcome(
            change: { $0.limits.maximumResponseBytes = 10_000 },
            [
                .streamHead
            ] + Array(repeating: Step.say("0123456789"), count: 1000) + [.silence])
        #expect(failure?.kind == .malformed)
    }

    @Test func `silence beyond the idle time is a timeout`() async throws {
        let (text, failure) = try await UpstreamUnderTest.outcome(
            change: { $0.limits.idleTimeout = .milliseconds(200) },
            [.streamHead, .say("a"), .silence])
        #expect(text == "a")
        #expect(failure?.kind == .timedOut)
    }

    @Test func `no answer within its time is a timeout`() async throws {
        let (_, failure) = try await UpstreamUnderTest.outcome(
            change: { $0.limits.firstByteTimeout = .milliseconds(200) }, [.silence])
        #expect(failure?.kind == .timedOut)
    }

    @Test(arguments: ["text/html", "text/plain; charset=utf-8", "application/jsonl", ""])
    func `an answer of another type is malformed`(type: String) async throws {
        let (_, failure) = try await UpstreamUnderTest.outcome([
            .head(200, [("content-type", type)]), .end,
        ])
        #expect(failure?.kind == .malformed)
    }

    @Test func `an encoded answer is malformed, since none was asked for`() async throws {
        let (_, failure) = try await UpstreamUnderTest.outcome([
            .head(200, [("content-type", "text/event-stream"), ("content-encoding", "gzip")]),
            .silence,
        ])
        #expect(failure?.kind == .malformed)
    }

    @Test func `a whole answer where a stream was asked for is one event`() async throws {
        let whole = #"{"choices":[{"message":{"content":"all"},"finish_reason":"stop"}]}"#
        let (text, failure) = try await UpstreamUnderTest.outcome(Step.json(200, whole))
        #expect(text == "all")
        #expect(failure == nil)
        let error = #"{"error":{"type":"server_error","message":"m"}}"#
        #expect(
            try await UpstreamUnderTest.outcome(Step.json(200, error)).failure?.kind == .unreachable
        )
    }

    @Test func `a stream where a whole answer was asked for is malformed`() async throws {
        let (_, failure) = try await UpstreamUnderTest.outcome(
            streams: false, [.streamHead, .silence])
        #expect(failure?.kind == .malformed)
    }
}
