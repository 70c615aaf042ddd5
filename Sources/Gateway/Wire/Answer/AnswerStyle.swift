import Domain

/// What of an answer its client is shown: what it asked for, and what its key says.
struct AnswerStyle: Sendable, Equatable {
    /// Whether a stream ends with its usage.
    var showsUsage = false
    /// Whether every choice tells the probabilities of its tokens.
    var showsLogprobs = false
    /// Whether calls are told in OpenAI's older form, which the client used to offer functions.
    var usesFunctionCall = false
    /// Whether reasoning is told as `reasoning` beside `reasoning_content`.
    var mirrorsReasoning = false
    /// Whether the chunks of a stream are padded.
    var hidesLengths = false
    /// The client's own notes, told back with a plain answer.
    var metadata: [MetadataEntry] = []

    /// Shows nothing that has to be asked for.
    init() {}

    /// The style of the answer to `request` from `principal`.
    init(_ request: ChatCompletionRequest, for principal: Principal) {
        showsUsage = request.includesUsage || principal.alwaysShowsUsage
        mirrorsReasoning = principal.mirrorsReasoning
        showsLogprobs = request.tellsLogprobs
        usesFunctionCall = request.tools.isLegacy
        hidesLengths = request.hidesLengths
        metadata = request.metadata
    }

    /// The word for why a choice ended.
    func word(for reason: FinishReason) -> String {
        reason == .toolCalls && usesFunctionCall ? "function_call" : reason.rawValue
    }
}
