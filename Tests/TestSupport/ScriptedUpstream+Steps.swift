extension ScriptedUpstream.Step {
    /// The head of an event stream.
    public static let streamHead = ScriptedUpstream.Step.head(
        200, [("content-type", "text/event-stream")])

    /// One event whose data is `data`.
    public static func event(_ data: String) -> ScriptedUpstream.Step {
        .body(Array("data: \(data)\n\n".utf8))
    }

    /// One event that says `content`.
    public static func say(_ content: String) -> ScriptedUpstream.Step {
        .event(#"{"choices":[{"index":0,"delta":{"content":"\#(content)"}}]}"#)
    }

    /// The last events of a stream: why it ended, what was used, and `[DONE]`.
    public static func finish(
        prompt: Int, completion: Int, reason: String = "stop"
    ) -> [ScriptedUpstream.Step] {
        [
            .event(#"{"choices":[{"index":0,"delta":{},"finish_reason":"\#(reason)"}]}"#),
            .event(
                #"{"choices":[],"usage":{"prompt_tokens":\#(prompt),"completion_tokens":\#(completion),"#
                    + #""total_tokens":\#(prompt + completion)}}"#),
            .event("[DONE]"), .end,
        ]
    }

    /// A whole answer with a JSON body.
    public static func json(
        _ status: Int, _ text: String, headers: [(String, String)] = []
    ) -> [ScriptedUpstream.Step] {
        let body = Array(text.utf8)
        let fields = [("content-type", "application/json"), ("content-length", "\(body.count)")]
        return [.head(status, fields + headers), .body(body)]
    }
}
