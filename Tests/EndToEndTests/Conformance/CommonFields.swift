/// Fields that several systems promise.
extension [PageField] {
    /// All of these lists.
    static func all(_ lists: [PageField]...) -> [PageField] { lists.flatMap { $0 } }

    /// What every answer of every system has.
    static func envelope(finishReason: String, words: [String]) -> [PageField] {
        [
            .field("id", .text("chatcmpl-")),
            .field("object", .exactly(#""chat.completion""#)).onlyPlain,
            .field("object (chunk)", at: "object", .exactly(#""chat.completion.chunk""#))
                .onlyStreamed,
            .field("created", .count(from: 1_700_000_000)),
            .field("model", .text()),
            .field("choices[].index", at: "choices[0].index", .exactly("0")),
            .field(
                "choices[].finish_reason", at: "choices[0].finish_reason",
                PageField.Meaning.exactly("\"\(finishReason)\"").orOfEngine(words)),
            .field(
                "choices[].message.role", at: "choices[0].message.role", .exactly(#""assistant""#)),
            .field(
                "choices[].message.content", at: "choices[0].message.content",
                .exactly(#""Good day.""#)),
        ] + counts
    }

    /// The three counters, which are the truth.
    static var counts: [PageField] {
        [
            .field("usage.prompt_tokens", .exactly("40")),
            .field("usage.completion_tokens", .exactly("12")),
            .field(
                "usage.total_tokens", .sum("usage.prompt_tokens", "usage.completion_tokens")),
        ]
    }

    /// Counts of caches, reasoning and prediction.
    static var countDetails: [PageField] {
        [
            .field("usage.prompt_tokens_details.cached_tokens", .exactly("16")),
            .field("usage.completion_tokens_details.reasoning_tokens", .exactly("4")),
            .field("usage.completion_tokens_details.accepted_prediction_tokens", .exactly("0")),
            .field("usage.completion_tokens_details.rejected_prediction_tokens", .exactly("0")),
        ]
    }

    /// The pieces of a stream that say text.
    static var deltas: [PageField] {
        [
            .field("choices[].delta.role", at: "choices[0].delta.role", .exactly(#""assistant""#))
                .onlyStreamed,
            .field("choices[].delta.content", at: "choices[0].delta.content", .text())
                .onlyStreamed,
        ]
    }

    /// A call of a function.
    static var calls: [PageField] {
        let call = "choices[0].message.tool_calls[0]"
        return [
            .field("choices[].message.tool_calls[].id", at: "\(call).id", .exactly(#""call_1""#))
                .notOfEngine,
            .field(
                "choices[].message.tool_calls[].type", at: "\(call).type", .exactly(#""function""#)
            ).notOfEngine,
            .field(
                "choices[].message.tool_calls[].function.name", at: "\(call).function.name",
                .exactly(#""get_weather""#)
            ).notOfEngine,
            .field(
                "choices[].message.tool_calls[].function.arguments",
                at: "\(call).function.arguments",
                .exactly(#""{\"city\":\"Paris\"}""#)
            ).notOfEngine,
        ]
    }

    /// A call of a function in pieces.
    static var callDeltas: [PageField] {
        let call = "choices[0].delta.tool_calls[0]"
        return [
            .field("choices[].delta.tool_calls[].index", at: "\(call).index", .exactly("0"))
                .onlyStreamed.notOfEngine,
            .field(
                "choices[].delta.tool_calls[].function.arguments",
                at: "\(call).function.arguments",
                .exactly(#""\"Paris\"}""#)
            ).onlyStreamed.notOfEngine,
        ]
    }

    /// How likely each token was: asked for with two alternatives.
    static var logprobs: [PageField] {
        let token = "choices[0].logprobs.content[0]"
        let name = "choices[].logprobs.content[]"
        return [
            .field("\(name).token", at: "\(token).token", .exactly(#""Good""#)),
            .field("\(name).logprob", at: "\(token).logprob", .logarithm),
            .field("\(name).bytes", at: "\(token).bytes", .exactly("[71,111,111,100]")),
            .field(
                "\(name).top_logprobs[].token", at: "\(token).top_logprobs[1].token",
                .exactly(#""No""#)),
            .field(
                "\(name).top_logprobs[].logprob", at: "\(token).top_logprobs[1].logprob",
                .init(exactly: "-9999")),
            .field(
                "\(name).top_logprobs[].bytes", at: "\(token).top_logprobs[1].bytes",
                .init(exactly: "null")
            ).notOfEngine,
        ]
    }
}

extension PageField.Meaning {
    /// The same, but of the local engine any of these words.
    func orOfEngine(_ words: [String]) -> Self {
        Self(holds: holds, holdsOfEngine: Self.oneOf(words).holds)
    }

    private init(
        holds: @escaping @Sendable (JSONNode, ConformanceAnswer) -> Bool,
        holdsOfEngine: @escaping @Sendable (JSONNode, ConformanceAnswer) -> Bool
    ) {
        self.holds = holds
        self.holdsOfEngine = holdsOfEngine
    }
}
