import Domain
import Foundation
import TestSupport
import Testing

@testable import Gateway

/// What each program that is known by name is sent and not sent, and how its answers are read.
@Suite(.timeLimit(.minutes(1))) struct UpstreamServers {
    private typealias Step = ScriptedUpstream.Step

    /// Members of a request, and the servers that refuse them under this name.
    struct Row: Sendable, CustomTestStringConvertible {
        let members: String
        let name: String
        let refusedBy: Set<UpstreamServer>
        var testDescription: String { members }
    }

    private static let tool = #""tools":[{"type":"function","function":{"name":"f"}}]"#
    private static let all = Set(UpstreamServer.allCases)
    private static let custom: Set<UpstreamServer> = [.vLLM, .sgLang, .ollama]

    static let rows = [
        Row(members: #""top_k":5"#, name: "top_k", refusedBy: [.openAI, .ollama]),
        Row(members: #""min_p":0.1"#, name: "min_p", refusedBy: [.openAI, .ollama]),
        Row(
            members: #""repetition_penalty":1.1"#, name: "repetition_penalty",
            refusedBy: [.openAI, .ollama]),
        Row(
            members: #""chat_template_kwargs":{"a":1}"#, name: "chat_template_kwargs",
            refusedBy: [.openAI, .ollama]),
        Row(
            members: #""enable_thinking":false"#, name: "enable_thinking",
            refusedBy: [.openAI, .ollama]),
        Row(
            members: #""separate_reasoning":false"#, name: "separate_reasoning",
            refusedBy: [.openAI, .vLLM, .ollama]),
        Row(members: #""logit_bias":{"5":1}"#, name: "logit_bias", refusedBy: [.ollama]),
        Row(
            members: #""service_tier":"flex""#, name: "service_tier",
            refusedBy: custom.union([.llamaServer])),
        Row(
            members: #""verbosity":"low""#, name: "verbosity",
            refusedBy: custom.union([.llamaServer])),
        Row(members: #""store":true"#, name: "store", refusedBy: all),
        Row(
            members: tool + #","parallel_tool_calls":false"#, name: "parallel_tool_calls",
            refusedBy: [.sgLang, .ollama]),
        Row(
            members: tool + #","tool_choice":"required""#, name: "tool_choice",
            refusedBy: [.ollama]),
        Row(members: tool + #","tool_choice":"none""#, name: "tool_choice", refusedBy: [.ollama]),
        Row(
            members: tool + #","tool_choice":{"type":"function","function":{"name":"f"}}"#,
            name: "tool_choice", refusedBy: [.ollama]),
        Row(members: tool + #","tool_choice":"auto""#, name: "", refusedBy: []),
        Row(members: #""seed":1,"stop":["a"],"temperature":0.5"#, name: "", refusedBy: []),
        Row(members: #""frequency_penalty":0.5,"presence_penalty":1"#, name: "", refusedBy: []),
        Row(members: #""reasoning_effort":"low","user":"u""#, name: "", refusedBy: []),
        Row(members: #""n":3,"max_tokens":5"#, name: "", refusedBy: []),
        Row(
            members:
                #""response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{}}}"#,
            name: "", refusedBy: []),
    ]

    private func with(
        _ server: UpstreamServer,
        _ script: @escaping @Sendable (ScriptedUpstream.Request) -> [Step] = ScriptedDemoModel
            .answer,
        _ body: (OpenAIUpstream, ScriptedUpstream) async throws -> Void
    ) async throws {
        try await UpstreamUnderTest.with(
            change: {
                $0.server = server
                $0.quirks = server.quirks
            }, script: script, body)
    }

    @Test(arguments: rows)
    func `what a server would read over is refused by name, and nothing else`(
        _ row: Row
    ) async throws {
        let request = try readRequest(row.members)
        for server in UpstreamServer.allCases {
            try await with(server) { backend, _ in
                let told = backend.unsupportedParameter(in: request, completionBound: 5)
                #expect(told == (row.refusedBy.contains(server) ? row.name : nil), "\(server)")
            }
        }
    }

    /// The bound's name, whether counts are asked for with each piece, and calls for three choices.
    @Test(arguments: [
        (UpstreamServer.openAI, "max_completion_tokens", false, 1),
        (.llamaServer, "max_tokens", false, 3), (.vLLM, "max_completion_tokens", true, 1),
        (.sgLang, "max_completion_tokens", true, 1), (.ollama, "max_tokens", false, 3),
    ])
    func `a call is written as the server reads it`(
        _ server: UpstreamServer, _ bound: String, _ isContinuous: Bool, _ calls: Int
    ) async throws {
        try await with(server, { _ in LiarFormat.openAI.stream(["a"]) }) { backend, upstream in
            _ = try await WholeAnswer(backend.forward(.ask("q", bound: 7, streams: true)))
            let text = await upstream.request(0).text
            let body = try #require(
                JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
            #expect(body[bound] as? Int == 7)
            #expect(
                Set(body.keys).intersection(["max_tokens", "max_completion_tokens"]) == [bound])
            let options = body["stream_options"] as? [String: Bool]
            #expect(options?["include_usage"] == true)
            #expect(options?["continuous_usage_stats"] == (isContinuous ? true : nil))
            _ = try? await WholeAnswer(backend.forward(.ask("q") { $0.choices = 3 }))
            #expect(upstream.requests.count == 1 + calls)
        }
    }

    /// What the call says of the draw when its client says nothing of it.
    private static let defaults = [
        "temperature": 1.0, "top_p": 1, "top_k": -1, "min_p": 0, "repetition_penalty": 1,
    ]

    @Test(arguments: [UpstreamServer.openAI, .vLLM, .sgLang, .ollama])
    func `a server that has other defaults than OpenAI's is told OpenAI's`(
        _ server: UpstreamServer
    ) async throws {
        func told(_ members: String) async throws -> [String: Double] {
            var body: [String: Any] = [:]
            let asked = try readRequest(members)
            try await with(server, { _ in LiarFormat.openAI.stream(["a"]) }) { backend, upstream in
                let call = BackendCall.ask("q", streams: true) {
                    $0.temperature = asked.temperature
                    $0.topK = asked.topK
                }
                _ = try await WholeAnswer(backend.forward(call))
                let text = await upstream.request(0).text
                body = try #require(
                    JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
            }
            return body.filter { Self.defaults[$0.key] != nil }.compactMapValues { $0 as? Double }
        }
        let isOther = server == .vLLM || server == .sgLang
        #expect(try await told(#""temperature":null"#) == (isOther ? Self.defaults : [:]))
        guard isOther else { return }
        var asked = Self.defaults
        (asked["temperature"], asked["top_k"]) = (0.25, 7)
        #expect(try await told(#""temperature":0.25,"top_k":7"#) == asked)
    }

    private static let errors: [(UpstreamServer, Int, String, BackendFailure.Kind)] = [
        (
            .vLLM, 400,
            #"{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4488 in the messages, 512 in the completion).","type":"BadRequestError","param":null,"code":400}"#,
            .contextExceeded(promptTokens: 4488, contextTokens: 4096)
        ),
        (
            .vLLM, 404,
            #"{"error":{"message":"The model `x` does not exist.","type":"NotFoundError","param":"model","code":404}}"#,
            .unreachable
        ),
        (
            .sgLang, 400,
            #"{"object":"error","message":"temperature must be non-negative","type":"BadRequestError","param":null,"code":400}"#,
            .invalidRequest
        ),
        (
            .ollama, 404,
            #"{"error":{"message":"model \"x\" not found, try pulling it first","type":"not_found_error","param":null,"code":null}}"#,
            .unreachable
        ),
        (
            .ollama, 400,
            #"{"error":{"message":"invalid message format","type":"invalid_request_error","param":null,"code":null}}"#,
            .invalidRequest
        ),
        (
            .llamaServer, 503,
            #"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#,
            .notReady(retryAfter: .seconds(1))
        ),
        (
            .llamaServer, 400,
            #"{"error":{"code":400,"message":"too long","type":"exceed_context_size_error","n_prompt_tokens":20,"n_ctx":10}}"#,
            .contextExceeded(promptTokens: 20, contextTokens: 10)
        ),
    ]

    @Test(arguments: errors.indices)
    func `a server's own errors are told by their kind`(row: Int) async throws {
        let (server, status, body, kind) = Self.errors[row]
        try await with(server, { _ in Step.json(status, body) }) { backend, _ in
            let told = await failure { _ = try await backend.forward(.ask("q")) }
            #expect(told?.kind == kind)
        }
    }

    @Test(arguments: [UpstreamServer.vLLM, .sgLang])
    func `counts with each piece are those of a stream that is cut`(
        _ server: UpstreamServer
    ) async throws {
        @Sendable func chunk(_ text: String, _ count: Int) -> Step {
            .event(
                #"{"choices":[{"index":0,"delta":{"content":"\#(text)"}}],"usage":{"prompt_tokens":9,"#
                    + #""completion_tokens":\#(count),"total_tokens":\#(9 + count)}}"#)
        }
        try await with(
            server, { _ in [.streamHead, chunk("two words", 2), chunk(" more", 3), .silence] }
        ) { backend, _ in
            let answer = try await backend.forward(.ask("q"))
            var count = CompletionCount(bound: 50)
            while count.bytes < 14, let events = try await answer.next() {
                for event in events { _ = count.take(event) }
            }
            answer.cancel()
            let record = SettlementDecision(
                outcome: .clientGone, clientHadBytes: true, count: count,
                bound: TokenBound(prompt: 100, completion: 50), promptBytes: 40
            ).record
            #expect(record.basis == .reported)
            #expect(record.usage == TokenUsage(prompt: 9, completion: 3))
        }
    }

    @Test func `thoughts are read under the name that Ollama has for them`() async throws {
        try await with(
            .ollama,
            { _ in
                [
                    .streamHead,
                    .event(
                        #"{"choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning":"hm"}}]}"#
                    ),
                    .say("a"),
                ] + Step.finish(prompt: 3, completion: 2)
            }
        ) { backend, _ in
            let answer = try await backend.forward(.ask("q"))
            var thoughts = ""
            while let events = try await answer.next() {
                thoughts += events.flatMap(\.deltas).compactMap(\.reasoning).joined()
            }
            #expect(thoughts == "hm")
        }
    }
}
