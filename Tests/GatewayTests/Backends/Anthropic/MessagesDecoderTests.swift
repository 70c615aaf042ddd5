import Domain
import TestSupport
import Testing

@testable import Gateway

@Suite struct MessagesDecoding {
    private static var wanted: ReadMessage {
        get throws {
            var read = try ReadMessage(events: [])
            read.content = "I look \"it\" up.\\"
            read.reasoning = "Let me see: ä😀\n"
            read.calls = [
                ToolCallDelta(
                    index: 0, id: "toolu_01A", name: "get_weather",
                    arguments: #"{"city": "Paris"}"#),
                ToolCallDelta(index: 1, id: "toolu_01B", name: "now", arguments: "{}"),
            ]
            read.finishReason = .toolCalls
            read.usage = TokenUsage(
                prompt: 36, cached: 16, cacheWrite: 8, completion: 40, reasoning: 11)
            read.isEnded = true
            return read
        }
    }

    @Test func `a stream means the same wherever its bytes are split`() throws {
        let bytes = Array(ScriptedMessage.everything.events.joined().utf8)
        let wanted = try Self.wanted
        for cut in 0...bytes.count {
            let read = try ReadMessage(pieces: [Array(bytes[..<cut]), Array(bytes[cut...])])
            guard read == wanted else {
                #expect(read == wanted, "split at \(cut)")
                return
            }
        }
        #expect(try ReadMessage(pieces: bytes.map { [$0] }) == wanted)
    }

    @Test func `a whole answer means what its stream means`() throws {
        var wanted = try Self.wanted
        wanted.isEnded = false
        wanted.calls[0].arguments = #"{"city":"Paris"}"#
        #expect(try ReadMessage(whole: ScriptedMessage.everything.whole) == wanted)
    }

    @Test func `thoughts are reasoning and nothing else, and their signature is nothing`() throws {
        let decoder = ReadMessage.decoder()
        var events: [BackendEvent] = []
        for text in ScriptedMessage([.thinking(["a"], signature: "b"), .text(["c"])]).events {
            var parser = EventStreamParser()
            try parser.consume(Array(text.utf8)) { data throws(BackendFailure) in
                if let event = try decoder.decodeChunk(data) { events.append(event) }
            }
        }
        #expect(events.map(\.isReasoning) == [true, false, false])
        #expect(events.flatMap(\.deltas).map(\.reasoning) == ["a", nil, nil])
    }

    @Test(arguments: [
        ("end_turn", FinishReason.stop), ("stop_sequence", .stop), ("pause_turn", .stop),
        ("max_tokens", .length), ("model_context_window_exceeded", .length),
        ("tool_use", .toolCalls), ("refusal", .contentFilter), ("a_later_reason", .stop),
    ])
    func `every reason to stop is told in the contract's words`(
        word: String, reason: FinishReason
    ) throws {
        let message = ScriptedMessage([.text(["a"])], stopReason: word)
        #expect(try ReadMessage(whole: message.whole).finishReason == reason)
        #expect(try ReadMessage(events: message.events).finishReason == reason)
    }

    private static let silent = [
        ScriptedMessage.event("ping", nil),
        ScriptedMessage.event("vault_opened", #""index":"x","delta":7"#),
        ScriptedMessage.event(
            "content_block_start", #""index":0,"content_block":{"type":"hologram","text":"x"}"#),
        ScriptedMessage.event(
            "content_block_delta", #""index":0,"delta":{"type":"citations_delta","citation":{}}"#),
        ScriptedMessage.event(
            "content_block_delta", #""index":0,"delta":{"type":"signature_delta","signature":"x"}"#),
        ScriptedMessage.event(
            "content_block_delta", #""index":0,"delta":{"type":"scent_delta","text":"x"}"#),
        ScriptedMessage.event("content_block_stop", #""index":9"#),
        ScriptedMessage.event(
            "message_delta", #""delta":{"stop_reason":null,"stop_sequence":null}"#),
    ]

    @Test(arguments: silent)
    func `what is new or says nothing is read over`(event: String) throws {
        let events = ScriptedMessage([.text(["a", "b"])]).events
        // Behind the beginning, within a block, and in front of the end.
        for place in [1, 4, events.count - 2] {
            var told = events
            told.insert(event.replacing(#""index":0"#, with: #""index":5"#), at: place)
            let read = try ReadMessage(events: told)
            #expect(read.content == "ab" && read.isEnded, "\(place)")
            #expect(read.usage == TokenUsage(prompt: 12, completion: 9))
        }
    }

    @Test func `the prompt's count goes with the first that is said`() throws {
        let decoder = ReadMessage.decoder()
        var told: [TokenUsage?] = []
        for text in ScriptedMessage.everything.events {
            var parser = EventStreamParser()
            try parser.consume(Array(text.utf8)) { data throws(BackendFailure) in
                if let event = try decoder.decodeChunk(data) { told.append(event.promptUsage) }
            }
        }
        let prompt = TokenUsage(prompt: 36, cached: 16, cacheWrite: 8, completion: 0)
        #expect(told.first == prompt)
        #expect(told.dropFirst().allSatisfy { $0 == nil })
    }

    @Test func `a call whose input stands in its beginning is not lost`() throws {
        let read = try ReadMessage(events: [
            ScriptedMessage.event(
                "content_block_start",
                #""index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":{"a":1}}"#
            ),
            ScriptedMessage.event("content_block_stop", #""index":0"#),
        ])
        #expect(
            read.calls == [ToolCallDelta(index: 0, id: "t", name: "f", arguments: #"{"a":1}"#)])
    }
}
