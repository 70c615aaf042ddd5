import Domain

/// A validated chat-completion request: what a client asked for, in types. Nothing a client invents
/// beyond these fields reaches a backend, since the forwarded body is written from them.
struct ChatCompletionRequest: Sendable, Equatable {
    /// The model alias asked for.
    var model: String
    /// At least one.
    var messages: [ChatMessage]
    /// The client's own bound on completion tokens (`max_completion_tokens` or `max_tokens`), at
    /// least 1.
    var maximumCompletionTokens: Int64?
    /// How many answers to the same messages, at least 1.
    var choices = 1
    /// 0...2; 0 is greedy.
    var temperature: Double?
    /// 0...1.
    var topP: Double?
    /// 1...128; nil is off.
    var topK: Int64?
    /// 0...1; nil is off.
    var minP: Double?
    /// Above 0, at most 2; nil is off.
    var repetitionPenalty: Double?
    /// -2...2.
    var frequencyPenalty: Double?
    /// -2...2.
    var presencePenalty: Double?
    /// Any 64-bit number.
    var seed: Int64?
    /// What is added to the logits of tokens; each token is named once.
    var logitBias: [LogitBias] = []
    /// Whether the answer tells how likely each of its tokens was (`logprobs`).
    var tellsLogprobs = false
    /// 0...20: how many alternatives are told beside each token; nil is none.
    var topLogprobs: Int?
    /// The functions that the model may call.
    var tools = ToolUse()
    /// The form of the answer's text.
    var format = ResponseFormat.text
    /// How the model reasons.
    var reasoning = ReasoningOptions()
    /// What becomes of a request that does not fit the model's context.
    var overflow = ContextOverflow.truncate
    /// How much the model says.
    var verbosity: Verbosity?
    /// What the answer will mostly be, texts only: an upstream is faster where it is right
    /// (`prediction`).
    var prediction: ChatMessage.Content?
    /// How soon it is served; nil is what the upstream usually does.
    var serviceTier: ServiceTier?
    /// Whether the upstream keeps the answer for the operator's own use.
    var isStored = false
    /// How the answer is spoken; nil where it is not.
    var speech: SpokenAnswer?
    /// How the upstream searches the web for it; nil where it does not.
    var webSearch: WebSearch?
    /// What the upstream's moderation does; nil where it does nothing.
    var moderation: ModerationRequest?
    /// What becomes of personal data in the messages (`input.pii`); nil is nothing.
    var personalData: PersonalDataPolicy?
    /// Whether messages that try to take over the model are refused
    /// (`input.block_prompt_injection`).
    var blocksPromptInjection = false
    /// What the answer is checked for, in this order (`output`); never of a stream.
    var outputChecks: [JudgedCheck] = []
    /// At most four, none empty.
    var stop: [String] = []
    /// Whether the answer is a stream of events.
    var streams = false
    /// Whether a stream ends with a usage chunk (`stream_options.include_usage`).
    var includesUsage = false
    /// Whether a stream's chunks are padded, so that who sees no more than their lengths learns
    /// less of the text (`stream_options.include_obfuscation`).
    var hidesLengths = false
    /// The client's name for its own user; forwarded to upstreams that know the field.
    var user: String?
    /// The same, under OpenAI's newer name.
    var safetyIdentifier: String?
    /// A hint to an upstream, which requests share a prompt.
    var promptCacheKey: String?
    /// How long its prompt is to be kept, and where.
    var caching = PromptCaching()
    /// The client's notes about its request: told back with a plain answer, and sent to nobody but an
    /// upstream that is to store it.
    var metadata: [MetadataEntry] = []
}

extension ChatCompletionRequest {
    /// Where the first part is that is such a one, by the path of its type; nil where there is none.
    func firstPart(where isMeant: (ContentPart) -> Bool) -> String? {
        for (position, message) in messages.enumerated() {
            guard let part = message.content.parts.firstIndex(where: isMeant) else { continue }
            return "messages[\(position)].content[\(part)].type"
        }
        return nil
    }

    /// Where the first message is that names a spoken answer, by the path of that; nil where none
    /// does.
    var firstSpoken: String? {
        messages.firstIndex { $0.spokenID != nil }.map { "messages[\($0)].audio" }
    }

    /// Where the first message is that says it was not for the reader's eyes, by the path of its
    /// channel; nil where none does. That one is for them says no more than its role.
    var firstHiddenChannel: String? {
        messages.firstIndex { $0.channel != nil && $0.channel != .final }.map {
            "messages[\($0)].channel"
        }
    }

    /// The first parameter that asks for what is not text: sound, a search of the web, moderation.
    var firstAddition: String? {
        if speech != nil { return "modalities" }
        if webSearch != nil { return "web_search_options" }
        return moderation == nil ? firstSpoken : "moderation"
    }

    /// Everything that a judge is asked for.
    var judgedChecks: [JudgedCheck] {
        (blocksPromptInjection ? [.promptInjection] : []) + outputChecks
    }

    /// How many images the messages show.
    var imageCount: Int {
        messages.reduce(0) { count, message in
            count
                + message.content.parts.count { if case .image = $0 { true } else { false } }
        }
    }
}

/// How much a model says.
enum Verbosity: String, Sendable, CaseIterable {
    case low, medium, high
}

/// One entry of `metadata`.
struct MetadataEntry: Sendable, Equatable {
    var key: String
    var value: String
}

/// One entry of `logit_bias`.
struct LogitBias: Sendable, Equatable {
    /// The token's number in the model's own vocabulary.
    var token: Int64
    /// -100...100.
    var bias: Double
}
