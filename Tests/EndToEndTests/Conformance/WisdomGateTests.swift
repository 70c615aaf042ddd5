import Testing

extension ConformanceSystem {
    /// JuheAPI's Wisdom Gate.
    static let wisdomGate = ConformanceSystem(
        name: "Wisdom Gate", word: "conformance-wisdomgate", path: "/v1/chat/completions",
        model: .openAI,
        request: #"""
            "messages":[{"role":"system","content":"Be kind."},
              {"role":"user","content":"conformance-wisdomgate"},
              {"role":"assistant","content":"Yes?"},{"role":"user","content":"Good day."}],
            "max_tokens":64,"temperature":2,"top_p":0,"frequency_penalty":-2,"presence_penalty":2,
            "logit_bias":{"10":5,"11":-5},"stop":["a#","b#","c#","d#"],"n":2
            """#,
        completion: ScriptedCompletion(choices: 2),
        parameters: [
            .sent("model", becomes: #""sights""#),
            .sent("messages", at: "messages[0]"),
            .sent("messages[].role", at: "messages[2].role"),
            .sent("messages[].content", at: "messages[3].content"),
            .sent("max_tokens", told: "max_completion_tokens"),
            .sent("temperature"), .sent("top_p"), .sent("frequency_penalty"),
            .sent("presence_penalty"), .sent("logit_bias"), .sent("stop"), .sent("n"),
            .streamed("stream"),
        ],
        fields: .all(
            .envelope(
                finishReason: "stop", words: ["stop", "length", "content_filter", "function_call"]),
            .deltas,
            [
                .field(
                    "choices[] (as many as n)", at: "choices[1].message.content",
                    .exactly(#""Good day.""#))
            ]))
}

extension EndToEnd.Conformance {
    @Test(
        .timeLimit(.minutes(1)), arguments: ["stop", "length", "content_filter"], [false, true])
    func `every reason that Wisdom Gate's page gives for an end is told as it is`(
        reason: String, streams: Bool
    ) async throws {
        let gateway = try ServedGateway.current()
        try await onOwnThread {
            let completion = ScriptedCompletion(finishReason: reason)
            gateway.scripts.write("conformance-ends") { completion.steps(for: $0) }
            let reply = try gateway.post(
                try gateway.makeKey(),
                ServedGateway.prompt(
                    "conformance-ends", model: "sights", more: #","stream":\#(streams)"#))
            let answer = try ConformanceAnswer(reply, streams: streams)
            #expect(answer.whole["choices[0].finish_reason"]?.text == reason)
        }
    }
}
