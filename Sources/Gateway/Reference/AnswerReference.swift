import Domain

/// The objects of answers. All are closed: a member that is not told here is not sent.
enum AnswerReference {
    /// All of them.
    static func objects(_ errors: [ErrorReference]) -> [RequestReference.Named] {
        objects + BooksReference.objects + [("Error", error(errors))]
    }

    private static let objects: [RequestReference.Named] = [
        ("ChatCompletion", completion), ("Choice", choice), ("AnswerMessage", message),
        ("Annotation", annotation), ("ToolCall", toolCall), ("CalledFunction", calledFunction),
        ("Logprobs", logprobs),
        ("TokenLogprob", tokenLogprob), ("Alternative", alternative), ("Usage", usage),
        ("ChatCompletionChunk", chunk), ("ChunkChoice", chunkChoice), ("Delta", delta),
        ("ToolCallPiece", toolCallPiece), ("FunctionPiece", functionPiece), ("Model", model),
        ("ModelList", modelList), ("ErrorBody", errorBody), ("Sound", AdditionReference.sound),
        ("SoundPiece", AdditionReference.soundPiece),
        ("ModerationReport", AdditionReference.report),
        ("ModerationSide", AdditionReference.side),
        ("ModerationFinding", AdditionReference.finding),
    ]

    private static func closed(_ properties: [ReferenceSchema.Property]) -> ReferenceSchema {
        .object(properties, isClosed: true)
    }

    // MARK: Whole answers

    private static func identity(_ object: String) -> [ReferenceSchema.Property] {
        [
            .required("id", .string.saying("The answer's own, the same in every chunk of it.")),
            .required("object", .words([object])),
            .required("created", .count.saying("Seconds since 1970-01-01 UTC.")),
            .required("model", .string.saying("The name that was asked for.")),
            .required(
                "system_fingerprint",
                .string.saying("Another one when another backend answers.")),
            .sometimes(
                "service_tier",
                .words(ServiceTier.self).saying("How soon the upstream served it.")),
        ]
    }

    private static let completion = closed(
        identity("chat.completion") + [
            .required("choices", .array(.named("Choice"))),
            .required("usage", .named("Usage")),
            .sometimes("moderation", .named("ModerationReport")),
            .sometimes("metadata", metadata),
        ])

    private static let metadata = {
        var schema = ReferenceSchema.anyObject.saying("The request's, where it had one.")
        schema.others = [.string]
        return schema
    }()

    private static let choice = closed([
        .required("index", .count.saying("From 0.")),
        .required("message", .named("AnswerMessage")),
        .required("logprobs", .named("Logprobs").orNull),
        .required("finish_reason", finishReason),
    ])

    /// Calls are told by the older word where the request used the older form.
    private static let finishReason = ReferenceSchema.words(
        FinishReason.allCases.map(\.rawValue) + ["function_call"]
    ).saying("Why it ended.")

    private static let message = closed([
        .required("role", .words(["assistant"])),
        .required("content", .string.orNull.saying("Null beside calls, a refusal or sound.")),
        .sometimes("reasoning_content", .string), .sometimes("reasoning", mirrored),
        .sometimes("channel", channel),
        .sometimes("tool_calls", .array(.named("ToolCall"))),
        .sometimes("function_call", .named("CalledFunction").saying("The older form.")),
        .required("refusal", .string.orNull),
        .sometimes("annotations", .array(.named("Annotation"))),
        .sometimes("audio", .named("Sound")),
    ])

    private static let mirrored = ReferenceSchema.string.saying(
        "The same as `reasoning_content`, where the key says so.")

    private static let channel = ReferenceSchema.words(MessageChannel.self).saying(
        "Whom it is said to, where the backend tells.")

    private static let annotation = closed([
        .required("type", .words(["url_citation"])),
        .required(
            "url_citation",
            closed([
                .required("start_index", .count.saying("Where it begins in the text.")),
                .required("end_index", .count), .required("title", .string),
                .required("url", .string),
            ])),
    ]).saying("A page that the answer cites.")

    private static let toolCall = closed([
        .required("id", .string), .required("type", .words(["function", "custom"])),
        .sometimes("function", .named("CalledFunction")),
        .sometimes(
            "custom",
            closed([.required("name", .string), .required("input", .string)])
                .saying("In place of `function`, where the tool is a custom one.")),
    ])

    private static let calledFunction = closed([
        .required("name", .string),
        .required("arguments", .string.saying("A JSON text, which the model may get wrong.")),
    ])

    private static let logprobs = closed([
        .required("content", .array(.named("TokenLogprob"))),
        .required("refusal", .array(.named("TokenLogprob")).orNull),
    ])

    private static let candidate: [ReferenceSchema.Property] = [
        .required("token", .string),
        .required(
            "logprob",
            .number(TokenLogprob.least...0).saying("The natural logarithm of its probability.")),
        .required("bytes", .array(.integer(0...255)).orNull.saying("Its text in UTF-8.")),
    ]

    private static let tokenLogprob = closed(
        candidate + [.required("top_logprobs", .array(.named("Alternative")))])

    private static let alternative = closed(candidate)

    // MARK: Usage

    private static let usage = closed([
        .required("prompt_tokens", .count), .required("completion_tokens", .count),
        .required("total_tokens", .count.saying("What counts against token quotas.")),
        .required(
            "prompt_tokens_details",
            closed([
                .required("cached_tokens", .count.saying("Read from a cache.")),
                .required("cache_write_tokens", .count.saying("Written to one.")),
                .required("audio_tokens", .count), .sometimes("text_tokens", told),
                .sometimes("image_tokens", told),
            ])),
        .required(
            "completion_tokens_details",
            closed([
                .required("reasoning_tokens", .count), .required("audio_tokens", .count),
                .sometimes("text_tokens", told),
                .required("accepted_prediction_tokens", .count),
                .required("rejected_prediction_tokens", .count),
            ])),
        .required("cache_creation_input_tokens", .count.saying("`cache_write_tokens`.")),
        .required("cache_read_input_tokens", .count.saying("`cached_tokens`.")),
        .required("input_tokens_count", .count.saying("`prompt_tokens`.")),
        .required("output_tokens_count", .count.saying("`completion_tokens`.")),
        .required("total_tokens_count", .count.saying("`total_tokens`.")),
        .required("time_to_first_token", .amount.saying("Seconds, measured at the gateway.")),
        .required("throughput_after_first_token", .amount.saying("Tokens per second.")),
        .required("model_execution_time", .amount.saying("Seconds that the backend worked.")),
        .required("queue_time", .amount.saying("Seconds that the request waited for room.")),
        .required("total_latency", .amount.saying("Seconds from the request to its end.")),
        .required(
            "completion_tokens_after_first_per_sec", .amount.saying("Tokens per second.")),
        .required("completion_tokens_per_sec", .amount.saying("Tokens per second.")),
        .required("total_tokens_per_sec", .amount.saying("Tokens per second.")),
        .required("start_time", .amount.saying("When the request came: seconds since 1970.")),
        .required("end_time", .amount.saying("When its answer ended.")),
        .required("is_last_response", .bool),
        .required("stop_reason", finishReason.saying("Why the first choice ended.")),
    ])

    private static let told = ReferenceSchema.count.saying("Where the upstream tells.")

    // MARK: Streams

    private static let chunk = closed(
        identity("chat.completion.chunk") + [
            .required("choices", .array(.named("ChunkChoice"))),
            .sometimes(
                "moderation",
                .named("ModerationReport").saying("In a chunk of its own, without choices.")),
            .sometimes(
                "obfuscation",
                .string.saying("Padding, where `stream_options.include_obfuscation` is true.")),
            .sometimes(
                "usage",
                .named("Usage").orNull.saying(
                    "Where usage was asked for: null but in the last chunk, which has no choices.")
            ),
        ]
    ).saying(
        "One event of a stream: `data: ` and this object. The last event is `data: [DONE]`; a "
            + "stream that fails ends with an error object instead.")

    private static let chunkChoice = closed([
        .required("index", .count), .required("delta", .named("Delta")),
        .sometimes("logprobs", .named("Logprobs").orNull),
        .required("finish_reason", finishReason.orNull.saying("In the choice's last chunk.")),
    ])

    private static let delta = closed([
        .sometimes("role", .words(["assistant"]).saying("In the choice's first chunk.")),
        .sometimes("content", .string), .sometimes("reasoning_content", .string),
        .sometimes("reasoning", mirrored), .sometimes("channel", channel),
        .sometimes("refusal", .string),
        .sometimes("annotations", .array(.named("Annotation"))),
        .sometimes("audio", .named("SoundPiece")),
        .sometimes("tool_calls", .array(.named("ToolCallPiece"))),
        .sometimes("function_call", .named("FunctionPiece").saying("The older form.")),
    ])

    private static let toolCallPiece = closed([
        .required("index", .count.saying("Which call of the choice, from 0.")),
        .sometimes("id", .string.saying("In the call's first piece.")),
        .sometimes("type", .words(["function", "custom"])),
        .sometimes("function", .named("FunctionPiece")),
        .sometimes(
            "custom",
            closed([
                .sometimes("name", .string.saying("In the call's first piece.")),
                .required("input", .string.saying("A piece of the text.")),
            ])),
    ])

    private static let functionPiece = closed([
        .sometimes("name", .string.saying("In the call's first piece.")),
        .required("arguments", .string.saying("A piece of a JSON text.")),
    ])

    // MARK: Models and errors

    private static let model = closed([
        .required("id", .string.saying("The name to ask for.")),
        .required("object", .words(["model"])), .required("created", .count),
        .required("owned_by", .string),
        .required("context_window", .count.saying("Tokens of prompt and completion together.")),
        .required("max_completion_tokens", .count),
    ])

    private static let modelList = closed([
        .required("object", .words(["list"])), .required("data", .array(.named("Model"))),
    ])

    private static let errorBody = closed([
        .required("error", .named("Error")),
        .required("request_id", .string.saying("The same as in `x-request-id`.")),
    ])

    private static func error(_ errors: [ErrorReference]) -> ReferenceSchema {
        let types = Set(errors.map(\.answer.type)).sorted()
        let codes = Set(errors.compactMap(\.answer.code)).sorted()
        return closed([
            .required("message", .string.saying("For people.")),
            .required("type", .words(types)),
            .required(
                "param", .string.orNull.saying("Where in the body, such as `messages[2].role`.")),
            .required("code", .words(codes).orNull.saying("For programs.")),
            .optional(
                "first_request_id",
                .string.saying("The first request with the same `Idempotency-Key`.")),
            .optional(
                "first_end_state",
                .words(EndState.allCases.map(\.name)).saying("How that ended, once it has.")),
            .optional(
                "usage",
                closed([
                    .required("prompt_tokens", .count), .required("completion_tokens", .count),
                    .required("total_tokens", .count),
                ]).saying("What that was charged for, once it is over.")),
        ])
    }
}
