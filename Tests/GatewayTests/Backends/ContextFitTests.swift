import JSON
import Testing

@testable import Gateway

@Suite struct ContextFit {
    private func kind(_ message: String) throws -> BackendFailure.Kind {
        let parser = JSONParser(maximumBytes: 4096, maximumDepth: 8, maximumNodes: 99)
        let root = try parser.parse(#"{"error":{"message":"\#(message)"}}"#).root
        return try #require(UpstreamErrorBody(root)).kind(status: 400, retryAfter: nil)
    }

    @Test(arguments: [
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (1000 in the messages, 4000 in the completion).",
        "This model's maximum context length is 4096 tokens and your request has 1000 input tokens (4000 > 4096 - 1000).",
    ])
    func `the length of the prompt is read where an upstream tells it`(_ text: String) throws {
        #expect(try kind(text) == .contextExceeded(promptTokens: 1000, contextTokens: 4096))
    }

    @Test(
        arguments: [
            ("prompt is too long: 5000 tokens > 4096 maximum", 5000, 4096),
            (
                "input length and `max_tokens` exceed context limit: 1000 + 4000 > 4096, decrease input length",
                1000, 4096
            ), ("prompt is too long: ask for less", nil, nil),
        ] as [(String, Int64?, Int64?)])
    func `the length of the prompt is read where Anthropic tells it`(
        _ text: String, prompt: Int64?, context: Int64?
    ) throws {
        #expect(
            try kind(text) == .contextExceeded(promptTokens: prompt, contextTokens: context))
    }

    private func shortened(
        _ kind: BackendFailure.Kind, bound: Int64 = 4000,
        _ change: (inout ChatCompletionRequest) -> Void
    ) -> Int64? {
        BackendCall.ask("hi", bound: bound, change: change)
            .shortened(after: BackendFailure(kind: kind, detail: ""))?.completionBound
    }

    @Test func `a completion is shortened to what fits, unless the client wants to be told`() {
        let refusal = BackendFailure.Kind.contextExceeded(promptTokens: 1000, contextTokens: 4096)
        #expect(shortened(refusal) { $0.maximumCompletionTokens = 4000 } == 3096)
        #expect(shortened(refusal) { $0.overflow = .error } == 3096)
        let told = shortened(refusal) {
            $0.overflow = .error
            $0.maximumCompletionTokens = 4000
        }
        #expect(told == nil)
        // What did not help once is not tried again.
        #expect(shortened(refusal, bound: 3096) { _ in } == nil)
    }

    @Test(arguments: [
        BackendFailure.Kind.contextExceeded(promptTokens: 4096, contextTokens: 4096),
        .contextExceeded(promptTokens: nil, contextTokens: 4096), .invalidRequest, .timedOut,
    ])
    func `what cannot fit is not tried again`(_ kind: BackendFailure.Kind) {
        #expect(shortened(kind) { _ in } == nil)
    }
}
