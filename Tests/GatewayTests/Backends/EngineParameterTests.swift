import Domain
import Foundation
import JSON
import Testing

@testable import Gateway

/// What the real engine makes of the parameters: it is the only judge of whether one takes effect.
@Suite(.serialized) struct EngineParameters {
    private func collect(
        _ engine: LocalEngine, _ question: String, bound: Int64 = 64,
        _ change: (inout ChatCompletionRequest) -> Void
    ) async throws -> CompletedAnswer {
        let call = BackendCall.ask(question, bound: bound, change: change)
        #expect(
            engine.unsupportedParameter(
                in: call.request, completionBound: call.completionBound) == nil)
        let answer = try await engine.forward(call)
        var completed = CompletedAnswer()
        while let events = try await answer.next() {
            for event in events {
                for delta in event.deltas { completed.append(delta) }
                if let usage = event.usage { completed.usage = usage }
            }
        }
        return completed
    }

    private func withEngine(
        _ body: (LocalEngine) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        try await TestEngine.run(try TestEngine.configuration(in: folder)) { engine in
            try await engine.waitUntilHealthy(timeout: .seconds(20))
            try await body(engine)
        }
    }

    private let weather = FunctionTool(
        name: "get_weather", description: "Get the weather",
        parameters: try? JSONFragment(
            JSONParser(maximumBytes: 4096, maximumDepth: 16, maximumNodes: 99).parse(
                #"{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}"#
            ).root))

    @Test func `probabilities and biases take effect`() async throws {
        try await withEngine { engine in
            let told = try await collect(engine, "What is the capital of Japan?") {
                $0.tellsLogprobs = true
                $0.topLogprobs = 2
            }
            let choice = try #require(told.choices.first)
            #expect(choice.content.contains("Tokyo"))
            #expect(choice.logprobs.map(\.drawn.token).joined() == choice.content)
            #expect(choice.logprobs.allSatisfy { $0.alternatives.count == 2 })
            #expect(choice.logprobs.allSatisfy { $0.drawn.logprob <= 0 })
            let bare = try await collect(engine, "What is the capital of Japan?") {
                $0.tellsLogprobs = true
            }
            #expect(bare.choices[0].logprobs.count == choice.logprobs.count)
            #expect(bare.choices[0].logprobs.allSatisfy { $0.alternatives.isEmpty })
        }
    }

    @Test func `a tool is called in pieces, a named one as asked, and none never`() async throws {
        try await withEngine { engine in
            let question = "What is the weather in Paris?"
            for choice: ToolChoice? in [nil, .auto, .required, .function("get_weather")] {
                let answer = try await collect(engine, question) {
                    $0.tools = ToolUse(functions: [weather], choice: choice)
                }
                let call = try #require(answer.choices.first?.toolCalls.first)
                #expect(call.name == "get_weather" && call.id?.isEmpty == false)
                #expect(call.arguments?.contains("Paris") == true)
                #expect(answer.choices[0].finishReason == .toolCalls)
                #expect(
                    answer.usage.prompt
                        <= PromptBound.tokens(
                            BackendCall.ask(question) {
                                $0.tools = ToolUse(functions: [weather], choice: choice)
                            }.request, imageTokens: 0))
            }
            let never = try await collect(engine, question) {
                $0.tools = ToolUse(functions: [weather], choice: ToolChoice.none)
            }
            #expect(never.choices[0].toolCalls.isEmpty)
            #expect(never.choices[0].content.contains("<tool_call>") == false)
        }
    }

    @Test func `a tool's answer is read by the model`() async throws {
        try await withEngine { engine in
            let answer = try await collect(engine, "What is the weather in Paris?") {
                $0.tools = ToolUse(functions: [weather])
                $0.messages += [
                    ChatMessage(
                        role: .assistant, content: .none,
                        toolCalls: [
                            ToolCall(id: "c", name: "get_weather", arguments: #"{"city":"Paris"}"#)
                        ]),
                    ChatMessage(role: .tool, content: .text("sunny"), toolCallID: "c"),
                ]
            }
            #expect(answer.choices[0].content.contains("sunny"))
        }
    }

    @Test func `a schema is followed`() async throws {
        try await withEngine { engine in
            let schema = try JSONParser(maximumBytes: 4096, maximumDepth: 16, maximumNodes: 99)
                .parse(
                    #"{"type":"object","properties":{"answer":{"enum":[7]}},"required":["answer"],"additionalProperties":false}"#
                ).root
            for format in [
                ResponseFormat.jsonSchema(
                    JSONSchemaFormat(name: "s", schema: JSONFragment(schema))), .jsonObject,
            ] {
                let answer = try await collect(engine, "What is the capital of Japan?") {
                    $0.format = format
                }
                let text = try #require(answer.choices.first).content
                let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
                let values = try #require(object as? [String: Any])
                if format != .jsonObject { #expect(values["answer"] as? Int == 7) }
            }
        }
    }

    @Test func `what exceeds the context is cut, or refused where the client asks for that`()
        async throws
    {
        try await withEngine { engine in
            let question = "What is the capital of Japan?"
            let call = BackendCall.ask(question, bound: 1024) {
                $0.overflow = .error
                $0.maximumCompletionTokens = 1024
            }
            let failure = await failure { _ = try await engine.forward(call) }
            guard case .contextExceeded(let prompt?, 1024)? = failure?.kind else {
                Issue.record("ended with \(String(describing: failure))")
                return
            }
            #expect(prompt < 100)
            let fitting = try await collect(engine, question, bound: 1024) {
                $0.overflow = .error
                $0.maximumCompletionTokens = 1024 - prompt
            }
            #expect(fitting.usage.prompt == prompt)
            let cut = try await collect(engine, question, bound: 1024) {
                $0.maximumCompletionTokens = 1024
            }
            #expect(cut.choices[0].content.contains("Tokyo"))
        }
    }

    @Test func `more choices than slots are all answered, and the prompt counts once`()
        async throws
    {
        try await withEngine { engine in
            let question = "What is the capital of Japan?"
            let one = try await collect(engine, question) { $0.seed = 1 }
            let three = try await collect(engine, question) {
                $0.choices = 3
                $0.seed = 1
            }
            #expect(three.choices.map(\.index).sorted() == [0, 1, 2])
            #expect(three.choices.allSatisfy { $0.content == one.choices[0].content })
            #expect(three.usage.prompt == one.usage.prompt)
            #expect(three.usage.completion == 3 * one.usage.completion)
            let warm = try await collect(engine, "List 3 fruits.") {
                $0.choices = 3
                $0.seed = 7
                $0.temperature = 2
            }
            #expect(Set(warm.choices.map(\.content)).count == 3)
        }
    }
}
