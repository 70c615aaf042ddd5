import TestSupport

/// Writes answers that are not what they should be, in the format of either kind of upstream.
enum LiarFormat: String, CaseIterable, Sendable {
    case openAI, anthropic

    typealias Step = ScriptedUpstream.Step

    /// Counts as they stand in the JSON, so that they may be anything.
    struct Told: Sendable {
        var prompt = "7"
        var completion = "3"
    }

    /// A stream: its head, `pieces` of text, its end with the counts if there are any.
    func stream(_ pieces: [String], told: Told? = Told(), model: String = "m") -> [Step] {
        [.streamHead] + opening(told, model) + pieces.map(say) + ending(told)
    }

    /// What stands in front of the first text of a stream.
    func opening(_ told: Told? = Told(), _ model: String = "m") -> [Step] {
        guard self == .anthropic else { return [] }
        let usage = told.map { #","usage":{"input_tokens":\#($0.prompt)}"# } ?? ""
        return [
            event(
                "message_start",
                #""message":{"type":"message","role":"assistant","model":"\#(model)"\#(usage)}"#),
            event(
                "content_block_start",
                #""index":0,"content_block":{"type":"text","text":""}"#),
        ]
    }

    /// One piece of text.
    func say(_ text: String) -> Step {
        switch self {
        case .openAI:
            .event(#"{"model":"leak","choices":[{"index":0,"delta":{"content":"\#(text)"}}]}"#)
        case .anthropic:
            event(
                "content_block_delta",
                #""index":0,"delta":{"type":"text_delta","text":"\#(text)"}"#)
        }
    }

    /// The end of a stream.
    func ending(_ told: Told?) -> [Step] {
        switch self {
        case .openAI:
            let usage = told.map {
                Step.event(
                    #"{"choices":[],"usage":{"prompt_tokens":\#($0.prompt),"#
                        + #""completion_tokens":\#($0.completion)}}"#)
            }
            return [.event(#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#)]
                + [usage].compactMap { $0 } + [.event("[DONE]"), .end]
        case .anthropic:
            let usage = told.map { #","usage":{"output_tokens":\#($0.completion)}"# } ?? ""
            return [
                event("content_block_stop", #""index":0"#),
                event("message_delta", #""delta":{"stop_reason":"end_turn"}\#(usage)"#),
                event("message_stop", nil), .end,
            ]
        }
    }

    /// A whole answer as one JSON text.
    func whole(_ text: String, told: Told? = Told(), model: String = "m") -> String {
        switch self {
        case .openAI:
            let usage = told.map {
                #","usage":{"prompt_tokens":\#($0.prompt),"completion_tokens":\#($0.completion)}"#
            }
            return #"{"model":"\#(model)","choices":[{"index":0,"message":{"content":"\#(text)"},"#
                + #""finish_reason":"stop"}]\#(usage ?? "")}"#
        case .anthropic:
            let usage = told.map {
                #","usage":{"input_tokens":\#($0.prompt),"output_tokens":\#($0.completion)}"#
            }
            return #"{"type":"message","model":"\#(model)","content":[{"type":"text","text":"#
                + #""\#(text)"}],"stop_reason":"end_turn"\#(usage ?? "")}"#
        }
    }

    /// An error, as it stands in a stream or is a whole body.
    func error(isWhole: Bool) -> [Step] {
        let openAI = #"{"error":{"message":"leak","type":"server_error","code":null}}"#
        let anthropic = ScriptedUpstream.messagesError("api_error", "leak")
        let text = self == .openAI ? openAI : anthropic
        return isWhole ? Step.json(200, text) : [.event(text)]
    }

    /// Something that says nothing.
    var ping: Step { self == .openAI ? .body(Array(": ping\n\n".utf8)) : event("ping", nil) }

    private func event(_ type: String, _ members: String?) -> Step {
        .body(Array(ScriptedMessage.event(type, members).utf8))
    }
}
