import Domain
import Foundation
import Testing

@testable import Gateway

@Suite struct ForwardedBodies {
    private func body(
        _ dialect: Dialect, streams: Bool = true,
        change: (inout ChatCompletionRequest) -> Void = { _ in }
    ) throws -> [String: Any] {
        try forwardedBody(dialect, streams: streams, change: change)
    }

    private let openAI = Dialect.openAI(bound: .maxCompletionTokens)

    @Test func `an upstream is sent what the client set and nothing else`() throws {
        let body = try body(openAI)
        #expect(
            Set(body.keys) == [
                "model", "messages", "stream", "stream_options", "max_completion_tokens",
            ])
        #expect(body["model"] as? String == "demo")
        #expect(body["max_completion_tokens"] as? Int == 77)
        #expect((body["stream_options"] as? [String: Bool]) == ["include_usage": true])
        let plain = try self.body(openAI, streams: false)
        #expect(plain["stream"] as? Bool == false)
        #expect(plain["stream_options"] == nil)
    }

    @Test func `an older upstream is sent the bound under the name it knows`() throws {
        let body = try body(.openAI(bound: .maxTokens))
        #expect(body["max_tokens"] as? Int == 77)
        #expect(body["max_completion_tokens"] == nil)
    }

    @Test func `the client's own bound never replaces the one that was reserved`() throws {
        let body = try body(openAI) { $0.maximumCompletionTokens = 100_000 }
        #expect(body["max_completion_tokens"] as? Int == 77)
    }

    @Test func `the engine is told neutral values when the client is silent`() throws {
        let body = try body(.llamaServer)
        #expect(body["temperature"] as? Double == 1)
        #expect(body["top_p"] as? Double == 1)
        #expect(body["top_k"] as? Int == 0)
        #expect(body["min_p"] as? Double == 0)
        #expect(body["repeat_penalty"] as? Double == 1)
        #expect(body["max_tokens"] as? Int == 77)
        #expect(body["timings_per_token"] as? Bool == true)
        #expect(body["cache_prompt"] == nil)
        #expect(body["seed"] == nil)
    }

    @Test func `the engine gets the repetition penalty under its own name`() throws {
        let body = try body(.llamaServer) {
            $0.repetitionPenalty = 1.3
            $0.topK = 40
            $0.minP = 0.05
            $0.user = "somebody"
        }
        #expect(body["repeat_penalty"] as? Double == 1.3)
        #expect(body["repetition_penalty"] == nil)
        #expect(body["top_k"] as? Int == 40)
        #expect(body["min_p"] as? Double == 0.05)
        #expect(body["user"] == nil)
    }

    @Test(
        arguments: [
            (0, 0), (5, 5), (-1, 4_294_967_294), (4_294_967_296, 0), (4_294_967_295, 4_294_967_294),
            (Int64.min, 0), (Int64.max, 4_294_967_294),
        ] as [(Int64, UInt32)])
    func `a seed is reduced to the engine's range and never to the one that means random`(
        seed: Int64, sent: UInt32
    ) throws {
        let body = try body(.llamaServer) { $0.seed = seed }
        #expect((body["seed"] as? NSNumber)?.uint32Value == sent)
        #expect(body["cache_prompt"] as? Bool == false)
        let kept = try self.body(openAI) { $0.seed = seed }
        #expect((kept["seed"] as? NSNumber)?.int64Value == seed)
    }

    @Test func `roles are kept for an upstream and translated for the engine`() throws {
        func roles(_ dialect: Dialect) throws -> [String] {
            let body = try body(dialect) { request in
                request.messages = ChatMessage.Role.allCases.map {
                    ChatMessage(role: $0, content: .text("x"))
                }
            }
            let messages = try #require(body["messages"] as? [[String: Any]])
            return messages.compactMap { $0["role"] as? String }
        }
        #expect(
            try roles(openAI) == ["system", "developer", "user", "assistant", "tool", "function"])
        #expect(
            try roles(.llamaServer) == ["system", "system", "user", "assistant", "tool", "tool"])
    }

    @Test func `text of every kind arrives as it was written`() throws {
        let odd = "quote \" backslash \\ line\n tab\t nul\u{0} sep\u{2028} 😀"
        let body = try body(openAI) { request in
            request.messages = [
                ChatMessage(role: .user, content: .text(odd), name: "é"),
                ChatMessage(role: .user, content: .parts([.text(odd), .text("")])),
            ]
            request.stop = [odd]
        }
        let messages = try #require(body["messages"] as? [[String: Any]])
        #expect(messages[0]["content"] as? String == odd)
        #expect(messages[0]["name"] as? String == "é")
        let parts = try #require(messages[1]["content"] as? [[String: String]])
        #expect(parts == [["type": "text", "text": odd], ["type": "text", "text": ""]])
        #expect(body["stop"] as? [String] == [odd])
    }

    @Test func `an upstream that understands more is sent more`() throws {
        let extras = Set(OpenAIUpstreamConfiguration.ExtraParameter.allCases)
        let change: (inout ChatCompletionRequest) -> Void = {
            $0.topK = 5
            $0.minP = 0.25
            $0.repetitionPenalty = 1.5
            $0.reasoning.isSeparate = false
            $0.reasoning.isEnabled = false
        }
        let dialect = Dialect.openAI(bound: .maxTokens, extras: extras)
        let body = try body(dialect, change: change)
        #expect(body["top_k"] as? Int == 5)
        #expect(body["min_p"] as? Double == 0.25)
        #expect(body["repetition_penalty"] as? Double == 1.5)
        #expect(body["separate_reasoning"] as? Bool == false)
        #expect(body["enable_thinking"] as? Bool == false)
        var request = ChatCompletionRequest.plain(change)
        #expect(dialect.unsupportedParameter(in: request) == nil)
        request.reasoning.templateArguments = [
            TemplateArgument(name: "a", value: try #require(.text("b")))
        ]
        let sent = try self.body(dialect) { $0.reasoning = request.reasoning }
        #expect((sent["chat_template_kwargs"] as? [String: String]) == ["a": "b"])
        for extra in extras.subtracting([
            .enableThinking, .customTools, .allowedTools, .prediction, .store, .audio,
            .moderation, .channel, .continuousUsage,
        ]) {
            let less = Dialect.openAI(bound: .maxTokens, extras: extras.subtracting([extra]))
            #expect(less.unsupportedParameter(in: request) == extra.rawValue)
        }
    }

    @Test func `earlier reasoning goes to the engine and to upstreams that can be told to reason`()
        throws
    {
        func reasoning(_ dialect: Dialect) throws -> String? {
            let body = try body(dialect) { request in
                request.messages = [
                    ChatMessage(role: .assistant, content: .text("a"), reasoning: "because")
                ]
            }
            let messages = try #require(body["messages"] as? [[String: Any]])
            return messages[0]["reasoning_content"] as? String
        }
        #expect(try reasoning(.llamaServer) == "because")
        for extra in [
            OpenAIUpstreamConfiguration.ExtraParameter.enableThinking,
            .templateArguments, .separateReasoning,
        ] {
            #expect(try reasoning(.openAI(bound: .maxTokens, extras: [extra])) == "because")
        }
        #expect(try reasoning(openAI) == nil)
        #expect(try reasoning(.openAI(bound: .maxTokens, extras: [.topK, .minP])) == nil)
    }

    @Test func `thinking is a variable of the template where there is no switch for it`() throws {
        let change: (inout ChatCompletionRequest) -> Void = { $0.reasoning.isEnabled = false }
        let variable = Dialect.openAI(bound: .maxTokens, extras: [.templateArguments])
        #expect(variable.unsupportedParameter(in: .plain(change)) == nil)
        let body = try body(variable, change: change)
        #expect((body["chat_template_kwargs"] as? [String: Bool]) == ["enable_thinking": false])
        #expect(body["enable_thinking"] == nil)
        let plain = try self.body(variable)
        #expect(plain["chat_template_kwargs"] == nil)
        let neither = Dialect.openAI(bound: .maxTokens, extras: [.topK])
        #expect(neither.unsupportedParameter(in: .plain(change)) == "enable_thinking")
    }

    @Test func `a parameter that a dialect cannot express is named and never dropped`() {
        var request = BackendCall.ask("hi").request
        #expect(openAI.unsupportedParameter(in: request) == nil)
        request.repetitionPenalty = 1.1
        #expect(openAI.unsupportedParameter(in: request) == "repetition_penalty")
        request.minP = 0.1
        #expect(openAI.unsupportedParameter(in: request) == "min_p")
        request.topK = 5
        #expect(openAI.unsupportedParameter(in: request) == "top_k")
        #expect(Dialect.llamaServer.unsupportedParameter(in: request) == nil)
    }

    @Test func `a value that changes nothing is taken, and not told to who does not know its name`()
        throws
    {
        func neutral(_ request: inout ChatCompletionRequest) {
            request.minP = 0
            request.repetitionPenalty = 1
        }
        #expect(openAI.unsupportedParameter(in: .plain(neutral)) == nil)
        let told = try body(openAI, change: neutral)
        #expect(told["min_p"] == nil && told["repetition_penalty"] == nil)
        let knows = Dialect.openAI(bound: .maxTokens, extras: [.minP, .repetitionPenalty])
        let more = try body(knows, change: neutral)
        #expect(more["min_p"] as? Int == 0 && more["repetition_penalty"] as? Int == 1)
    }

    @Test func `the engine goes on with one message that an assistant began, not with two`() {
        func name(_ turns: Int) -> String? {
            var request = BackendCall.ask("hi").request
            for _ in 0..<turns {
                request.messages.append(ChatMessage(role: .assistant, content: .text("It is")))
            }
            #expect(openAI.unsupportedParameter(in: request) == nil)
            return Dialect.llamaServer.unsupportedParameter(in: request)
        }
        #expect(name(1) == nil)
        #expect(name(2) == "messages[2].role")
    }
}
