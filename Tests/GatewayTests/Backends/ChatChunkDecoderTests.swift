import Domain
import Testing

@testable import Gateway

@Suite struct ChatChunks {
    private func decoder(readsTimings: Bool = true) -> ChatChunkDecoder {
        ChatChunkDecoder(
            maximumBytes: 1 << 20, readsTimings: readsTimings, alternatives: nil,
            secrets: [Array("sk-secret".utf8)])
    }

    private func chunk(_ text: String) throws -> BackendEvent? {
        try decoder().decodeChunk(Array(text.utf8)[...])
    }

    private func failure(_ text: String) -> BackendFailure? {
        do { _ = try chunk(text) } catch { return error as? BackendFailure }
        return nil
    }

    @Test func `text and reasoning are kept apart under each of their names`() throws {
        let content = #"{"choices":[{"index":1,"delta":{"content":"a","reasoning_content":"b"}}]}"#
        #expect(
            try chunk(content)?.deltas == [ChoiceDelta(index: 1, content: "a", reasoning: "b")])
        let other = #"{"choices":[{"delta":{"reasoning":"c"}}]}"#
        #expect(try chunk(other)?.deltas == [ChoiceDelta(index: 0, reasoning: "c")])
        let refusal = #"{"choices":[{"index":0,"delta":{"content":null,"refusal":"no"}}]}"#
        #expect(try chunk(refusal)?.deltas == [ChoiceDelta(index: 0, refusal: "no")])
    }

    @Test(arguments: [
        #"{"choices":[{"index":0,"delta":{"role":"assistant","content":null}}]}"#,
        #"{"choices":[{"index":0,"delta":{"content":""},"finish_reason":null}],"usage":null}"#,
        #"{"type":"ping"}"#, #"{"choices":[]}"#, #"{"choices":null}"#,
    ])
    func `a chunk that says nothing is no event`(text: String) throws {
        #expect(try chunk(text) == nil)
    }

    @Test(arguments: [
        ("stop", FinishReason.stop), ("length", .length), ("tool_calls", .toolCalls),
        ("function_call", .toolCalls), ("content_filter", .contentFilter), ("eos", .stop),
    ])
    func `every reason to finish is told in the contract's words`(
        word: String, reason: FinishReason
    ) throws {
        let text = #"{"choices":[{"index":0,"delta":{},"finish_reason":"\#(word)"}]}"#
        #expect(try chunk(text)?.deltas == [ChoiceDelta(index: 0, finishReason: reason)])
    }

    @Test func `an answer that its server aborted is not one that came to its end`() throws {
        let text = #"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"abort"}]}"#
        #expect(failure(text)?.kind == .unreachable)
        let whole = #"{"choices":[{"message":{"content":"a"},"finish_reason":"abort"}]}"#
        #expect(throws: BackendFailure.self) {
            try decoder().decodeAnswer(Array(whole.utf8))
        }
    }

    @Test func `usage is read with its parts`() throws {
        let text = #"""
            {"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":7,"prompt_tokens_details":
            {"cached_tokens":4,"cache_write_tokens":2},"completion_tokens_details":{"reasoning_tokens":3}}}
            """#
        #expect(
            try chunk(text)?.usage
                == TokenUsage(prompt: 10, cached: 4, cacheWrite: 2, completion: 7, reasoning: 3))
    }

    @Test func `a usage of zero is a value`() throws {
        #expect(
            try chunk(#"{"usage":{"prompt_tokens":0,"completion_tokens":0}}"#)?.usage
                == TokenUsage.none)
    }

    @Test(arguments: [
        #"{"prompt_tokens":-1,"completion_tokens":5}"#,
        #"{"prompt_tokens":1,"completion_tokens":-5}"#,
        #"{"prompt_tokens":1.5,"completion_tokens":5}"#,
        #"{"prompt_tokens":"1","completion_tokens":5}"#,
        #"{"prompt_tokens":1,"completion_tokens":18446744073709551615}"#,
        #"{"prompt_tokens":1}"#, #"{}"#, #"[]"#, #""many""#,
    ])
    func `a usage that cannot be true is ignored so that the gateway counts`(usage: String) throws {
        #expect(try chunk(#"{"choices":[],"usage":\#(usage)}"#) == nil)
    }

    @Test func `only a backend of ours is believed in its running count`() throws {
        let text = #"{"choices":[],"timings":{"predicted_n":12}}"#
        #expect(try chunk(text)?.completionTokensSoFar == 12)
        #expect(try decoder(readsTimings: false).decodeChunk(Array(text.utf8)[...]) == nil)
    }

    @Test(arguments: [
        "", "{", "[1]", "null", #""text""#, #"{"choices":{}}"#, #"{"choices":[1]}"#,
        #"{"choices":[{"index":-1,"delta":{}}]}"#, #"{"choices":[{"index":128,"delta":{}}]}"#,
        #"{"choices":[{"index":"0","delta":{}}]}"#,
        #"{"choices":[{"index":0,"delta":{"content":7}}]}"#,
    ])
    func `what is no chunk is malformed`(text: String) {
        #expect(failure(text)?.kind == .malformed)
    }

    @Test(arguments: [
        (
            #"{"error":{"message":"m","type":"server_error","code":null}}"#,
            BackendFailure.Kind.unreachable
        ),
        (#"{"error":{"code":500,"message":"m","type":"server_error"}}"#, .unreachable),
        (
            #"{"error":{"type":"overloaded_error","message":"m"}}"#,
            .rateLimited(retryAfter: .seconds(1))
        ),
        (#"{"error":{"type":"rate_limit_error","message":"m"}}"#, .rateLimited(retryAfter: nil)),
        (#"{"error":"something"}"#, .unreachable),
        (
            #"{"error":{"code":400,"type":"exceed_context_size_error","n_prompt_tokens":9,"n_ctx":4}}"#,
            .contextExceeded(promptTokens: 9, contextTokens: 4)
        ),
        (#"{"object":"error","message":"bad","code":400}"#, .invalidRequest),
    ])
    func `an error inside of a stream is told by its kind`(
        text: String, kind: BackendFailure.Kind
    ) {
        #expect(failure(text)?.kind == kind)
    }

    @Test func `the detail of a failure has neither control characters nor the credential`() {
        let text = "{\"error\":{\"message\":\"key sk-secret \u{7F}\u{202E}\u{85}é"
        let detail = failure(text + "\"}}")?.detail ?? ""
        #expect(detail.contains("key [redacted] ") && detail.contains("é"))
        #expect(detail.unicodeScalars.allSatisfy { ![0x7F, 0x85, 0x202E].contains($0.value) })
        let filler = String(repeating: "x", count: 5000)
        let long = failure("{\"error\":\"\(filler)\"}")?.detail ?? ""
        #expect((400..<700).contains(long.utf8.count))
    }

    @Test func `the detail of a malformed chunk does not quote the answer`() {
        #expect(
            failure(#"{"choices":[{"delta":{"content":"private"#)?.detail.contains("private")
                == false)
    }

    @Test func `a whole answer is one event`() throws {
        let text = #"""
            {"choices":[{"index":0,"message":{"role":"assistant","content":"Hi","reasoning_content":"r"},
            "finish_reason":"length"},{"message":{"content":null}}],
            "usage":{"prompt_tokens":3,"completion_tokens":1}}
            """#
        let event = try decoder().decodeAnswer(Array(text.utf8))
        #expect(
            event.deltas == [
                ChoiceDelta(index: 0, content: "Hi", reasoning: "r", finishReason: .length),
                ChoiceDelta(index: 1, finishReason: .stop),
            ])
        #expect(event.usage == TokenUsage(prompt: 3, completion: 1))
    }

    @Test(arguments: ["{}", #"{"choices":[]}"#, #"{"choices":null}"#])
    func `a whole answer without a choice is malformed`(text: String) {
        #expect(throws: BackendFailure.self) { try decoder().decodeAnswer(Array(text.utf8)) }
    }
}
