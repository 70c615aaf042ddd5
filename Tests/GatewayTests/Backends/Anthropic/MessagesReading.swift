import Domain
import TestSupport

@testable import Gateway

/// What a decoder made of an answer, put together.
struct ReadMessage: Equatable {
    var content = ""
    var reasoning = ""
    var calls: [ToolCallDelta] = []
    var finishReason: FinishReason?
    var usage: TokenUsage?
    var isEnded = false

    /// Reads a whole answer.
    init(whole: String) throws {
        let decoder = Self.decoder()
        add(try decoder.decodeAnswer(Array(whole.utf8)))
    }

    /// Reads a stream that arrives in these pieces.
    init(pieces: [[UInt8]]) throws {
        let decoder = Self.decoder()
        var parser = EventStreamParser()
        for piece in pieces {
            try parser.consume(piece) { data throws(BackendFailure) in
                if let event = try decoder.decodeChunk(data) { add(event) }
            }
        }
        isEnded = decoder.isEnded && decoder.isFinished && decoder.hasChoices
    }

    /// Reads a stream that arrives at once.
    init(events: [String]) throws { try self.init(pieces: [Array(events.joined().utf8)]) }

    /// A decoder of its own.
    static func decoder() -> MessagesDecoder {
        MessagesDecoder(maximumBytes: 1 << 20, secrets: [Array("sk-ant-secret".utf8)])
    }

    private mutating func add(_ event: BackendEvent) {
        usage = event.usage ?? usage
        for delta in event.deltas {
            content += delta.content ?? ""
            reasoning += delta.reasoning ?? ""
            finishReason = delta.finishReason ?? finishReason
            for call in delta.toolCalls { add(call) }
        }
    }

    private mutating func add(_ piece: ToolCallDelta) {
        guard let position = calls.firstIndex(where: { $0.index == piece.index }) else {
            calls.append(piece)
            return
        }
        calls[position].arguments = (calls[position].arguments ?? "") + (piece.arguments ?? "")
    }
}

extension ScriptedMessage {
    /// Thoughts, hidden thoughts, a text and two calls, one of them without arguments.
    static var everything: ScriptedMessage {
        var message = ScriptedMessage(
            [
                .thinking(["Let me", " see: ä😀", "\n"], signature: "EqQBCgIYAhIM1gbcDa9GJwZA2b3h"),
                .redactedThinking,
                .text(["I look \"it\"", " up.\\", ""]),
                .toolUse("toolu_01A", "get_weather", [#"{"city":"#, #" "Pa"#, #"ris"}"#]),
                .toolUse("toolu_01B", "now", []),
            ], stopReason: "tool_use")
        message.usage.cacheCreation = 8
        message.usage.cacheRead = 16
        message.usage.output = 40
        message.usage.thinking = 11
        return message
    }
}
