import Domain
import TestSupport
import Testing

@testable import Gateway

@Suite struct MessagesThatLie {
    private func usage(start: String, end: String) throws -> TokenUsage? {
        try ReadMessage(events: [
            ScriptedMessage.event("message_start", #""message":{"usage":\#(start)}"#),
            ScriptedMessage.event(
                "message_delta", #""delta":{"stop_reason":"end_turn"},"usage":\#(end)"#),
        ]).usage
    }

    @Test(arguments: [
        (#"{"input_tokens":-1}"#, #"{"output_tokens":5}"#),
        (#"{"input_tokens":1}"#, #"{"output_tokens":-5}"#),
        (#"{"input_tokens":1}"#, #"{"output_tokens":"5"}"#),
        (#"{"input_tokens":1.5}"#, #"{"output_tokens":5}"#),
        (#"{"input_tokens":1,"cache_read_input_tokens":-9}"#, #"{"output_tokens":5}"#),
        (#"{"input_tokens":1}"#, #"{"output_tokens":5,"cache_creation_input_tokens":{}}"#),
        (#"{"input_tokens":1}"#, "null"), (#"{"input_tokens":1,"output_tokens":7}"#, "{}"),
        ("null", #"{"output_tokens":5}"#), ("{}", #"{"output_tokens":5}"#),
    ])
    func `a count that is none is not believed, and the gateway counts`(
        start: String, end: String
    ) throws {
        #expect(try usage(start: start, end: end) == nil)
    }

    @Test func `counts are of all so far, so the last word on each holds`() throws {
        #expect(
            try usage(
                start: #"{"input_tokens":3,"cache_read_input_tokens":4,"output_tokens":1}"#,
                end: #"{"output_tokens":5,"cache_read_input_tokens":6,"input_tokens":null}"#)
                == TokenUsage(prompt: 9, cached: 6, completion: 5))
        #expect(
            try usage(start: "null", end: #"{"input_tokens":3,"output_tokens":5}"#)
                == TokenUsage(prompt: 3, completion: 5))
    }

    @Test func `counts without end neither overflow nor pass as they are`() throws {
        let most = "\(Int64.max)"
        let told = try usage(
            start: #"{"input_tokens":\#(most),"cache_read_input_tokens":\#(most)}"#,
            end: #"{"output_tokens":\#(most),"cache_creation_input_tokens":\#(most)}"#)
        #expect(told == TokenUsage(prompt: .max, cached: .max, completion: .max))
        let thinking = try usage(
            start: #"{"input_tokens":1}"#,
            end: #"{"output_tokens":5,"output_tokens_details":{"thinking_tokens":50}}"#)
        #expect(thinking?.reasoning == 5)
    }

    private static let broken = [
        "[1]", "{}", #"{"type":7}"#, "not json", "{\"type\":\"ping\"} {}",
        #"{"type":"content_block_start","index":0}"#,
        #"{"type":"content_block_start","content_block":{"type":"text","text":""}}"#,
        #"{"type":"content_block_start","index":-1,"content_block":{"type":"text","text":""}}"#,
        #"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":7}}"#,
        #"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","input":{}}}"#,
        #"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"b","input":[]}}"#,
        #"{"type":"content_block_delta","index":0}"#,
        #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":{}}}"#,
        #"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{"}}"#,
        "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"\u{1}\"}}",
    ]

    private func failure(_ data: String) -> BackendFailure? {
        do {
            _ = try ReadMessage.decoder().decodeChunk(Array(data.utf8)[...])
        } catch { return error }
        return nil
    }

    @Test(arguments: broken)
    func `an event that cannot be read is malformed, and is not quoted`(data: String) {
        #expect(failure(data)?.kind == .malformed)
        #expect(failure(data)?.detail.contains("tool_use") == false)
    }

    @Test func `a block that begins twice, and blocks without end, are malformed`() throws {
        func start(_ index: Int) -> String {
            ScriptedMessage.event(
                "content_block_start",
                #""index":\#(index),"content_block":{"type":"text","text":""}"#)
        }
        #expect(throws: BackendFailure.self) { try ReadMessage(events: [start(0), start(0)]) }
        #expect(throws: BackendFailure.self) { try ReadMessage(events: (0...300).map(start)) }
        let calls = (0...128).map { number in
            ScriptedMessage.event(
                "content_block_start",
                #""index":\#(number),"content_block":{"type":"tool_use","id":"a","name":"b","input":{}}"#
            )
                + ScriptedMessage.event("content_block_stop", #""index":\#(number)"#)
        }
        _ = try ReadMessage(events: Array(calls.dropLast()))
        #expect(throws: BackendFailure.self) { try ReadMessage(events: calls) }
    }

    @Test(arguments: [
        ("overloaded_error", BackendFailure.Kind.rateLimited(retryAfter: .seconds(1))),
        ("rate_limit_error", .rateLimited(retryAfter: nil)), ("api_error", .unreachable),
        ("timeout_error", .timedOut), ("authentication_error", .unreachable),
        ("billing_error", .unreachable), ("permission_error", .unreachable),
        ("not_found_error", .unreachable), ("invalid_request_error", .invalidRequest),
    ])
    func `an error inside of a stream ends it by its kind`(
        type: String, kind: BackendFailure.Kind
    ) throws {
        let told = failure(ScriptedUpstream.messagesError(type, "sk-ant-secret quotes the prompt"))
        #expect(told?.kind == kind)
        #expect(told?.detail == "error inside of the answer: \(type)")
    }

    @Test(arguments: [
        "{}", #"{"content":"text","usage":{}}"#, #"{"content":[7]}"#,
        #"{"content":[{"text":"a"}]}"#, #"{"content":[{"type":"text","text":7}]}"#,
        #"{"content":[{"type":"tool_use","id":"a","name":"b","input":"{}"}]}"#,
    ])
    func `a whole answer that cannot be read is malformed`(body: String) {
        #expect(throws: BackendFailure.self) { try ReadMessage(whole: body) }
    }

    @Test func `an answer in which nothing is said is an answer`() throws {
        let read = try ReadMessage(
            whole: #"{"type":"message","content":[],"stop_reason":"refusal","usage":null}"#)
        #expect(read.content.isEmpty && read.finishReason == .contentFilter && read.usage == nil)
    }

    @Test func `a stream with bytes gone wrong ends well or malformed, and counts nothing odd`() {
        var random = SplitMix(seed: 20_261_121)
        let whole = Array(ScriptedMessage.everything.events.joined().utf8)
        var endings: [Bool: Int] = [:]
        for _ in 0..<120 {
            var bytes = whole
            for _ in 0..<1 + Int(random.below(4)) {
                let place = Int(random.below(UInt64(bytes.count)))
                switch random.below(4) {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(bytes[place], at: place)
                default:
                    let end = min(bytes.count, place + 1 + Int(random.below(200)))
                    bytes += bytes[place..<end]
                    bytes.removeSubrange(place..<end)
                }
            }
            do {
                let read = try ReadMessage(pieces: [bytes])
                endings[true, default: 0] += 1
                let usage = read.usage ?? .none
                let counts = [usage.prompt, usage.cached, usage.cacheWrite, usage.completion]
                #expect(counts.allSatisfy { $0 >= 0 })
                #expect(Set(read.calls.map(\.index)).count == read.calls.count)
            } catch {
                endings[false, default: 0] += 1
                #expect((error as? BackendFailure)?.kind == .malformed, "\(error)")
            }
        }
        // Neither is the rule: the damage is neither always seen nor never.
        #expect((endings[true] ?? 0) > 12 && (endings[false] ?? 0) > 12, "\(endings)")
    }
}
