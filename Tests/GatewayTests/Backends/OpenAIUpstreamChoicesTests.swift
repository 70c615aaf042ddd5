import Domain
import JSON
import TestSupport
import Testing

@testable import Gateway

@Suite(.timeLimit(.minutes(1))) struct OpenAIUpstreamCalls {
    private func member(_ name: String, of request: ScriptedUpstream.Request) throws -> Int64? {
        try JSONParser(maximumBytes: 1 << 20, maximumDepth: 32, maximumNodes: 10_000)
            .parse(request.body).root[name]?.exactInteger
    }

    @Test func `a bound that the context has no room for is shortened once`() async throws {
        let refusal =
            #"{"error":{"message":"This model's maximum context length is 40 tokens. However, you requested 82 tokens (18 in the messages, 64 in the completion)."}}"#
        try await UpstreamUnderTest.with(
            script: { request in
                request.text.contains(#""max_completion_tokens":64"#)
                    ? ScriptedUpstream.Step.json(400, refusal) : ScriptedDemoModel.answer(request)
            }
        ) { backend, server in
            let answer = try await WholeAnswer(backend.forward(.ask("q", bound: 64)))
            #expect(answer.text.hasPrefix("The capital"))
            let shortened = try member("max_completion_tokens", of: await server.request(1))
            #expect(shortened == 22)
            let told = await failure {
                _ = try await backend.forward(
                    .ask("q", bound: 64) {
                        $0.overflow = .error
                        $0.maximumCompletionTokens = 64
                    })
            }
            #expect(told?.kind == .contextExceeded(promptTokens: 18, contextTokens: 40))
        }
    }

    @Test func `an upstream of one choice gets a call for each, and others get n`() async throws {
        try await UpstreamUnderTest.with(
            change: { $0.quirks.answersOneChoice = true }, script: ScriptedDemoModel.answer
        ) { backend, server in
            let call = BackendCall.ask("q") { $0.choices = 9 }
            let answer = try await WholeAnswer(backend.forward(call))
            #expect(answer.usage == TokenUsage(prompt: 18, completion: 9 * 13))
            #expect(Set(answer.events.flatMap(\.deltas).map(\.index)) == Set(0..<9))
            for index in 0..<9 {
                let choices = try member("n", of: await server.request(index))
                #expect(choices == nil)
            }
        }
        let several = try forwardedBody(.openAI(bound: .maxTokens)) { $0.choices = 9 }
        #expect(several["n"] as? Int == 9)
    }
}
