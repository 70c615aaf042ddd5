/// A piece of one choice.
struct ChoiceDelta: Sendable, Equatable {
    /// The choice, from 0.
    var index: Int
    /// Visible text.
    var content: String?
    /// What the model says instead, when it refuses.
    var refusal: String?
    /// Reasoning text.
    var reasoning: String?
    /// Whom it is said to, where the backend tells; says nothing by itself.
    var channel: MessageChannel?
    /// Pieces of tool calls.
    var toolCalls: [ToolCallDelta] = []
    /// How likely each token of this piece was, where that was asked for.
    var logprobs: [TokenLogprob] = []
    /// The same of the tokens of a refusal.
    var refusalLogprobs: [TokenLogprob] = []
    /// The pages that it cites.
    var annotations: [Annotation] = []
    /// What of it is spoken.
    var sound: SoundPiece?
    /// Why the choice ended; on its last piece only.
    var finishReason: FinishReason?

    /// Whether it carries anything besides the reason of its end.
    var saysSomething: Bool {
        content?.isEmpty == false || refusal?.isEmpty == false || reasoning?.isEmpty == false
            || !toolCalls.isEmpty || !logprobs.isEmpty || !refusalLogprobs.isEmpty
            || !annotations.isEmpty || sound != nil
    }

    /// Whether it says nothing but when its sound is forgotten.
    var isAfterword: Bool {
        guard let sound, sound.isLast else { return false }
        var rest = self
        rest.sound = nil
        return !rest.saysSomething
    }

    /// Bytes that the model generated: text, visible, spoken or not, and calls.
    var generatedBytes: Int {
        let texts = [content, refusal, reasoning, sound?.transcript].reduce(0) {
            $0 + ($1?.utf8.count ?? 0)
        }
        return toolCalls.reduce(texts) {
            $0 + ($1.name?.utf8.count ?? 0) + ($1.arguments?.utf8.count ?? 0)
        }
    }
}

/// A piece of one tool call: its id and name come once, its arguments in pieces.
struct ToolCallDelta: Sendable, Equatable {
    /// The call within its choice, from 0.
    var index: Int
    var id: String?
    var name: String?
    /// A piece of a JSON text, which the model may get wrong; of a custom tool's input.
    var arguments: String?
    /// Whether it calls a custom tool.
    var isCustom = false
}

/// How likely a token was.
struct TokenLogprob: Sendable, Equatable {
    /// A token and its probability.
    struct Candidate: Sendable, Equatable {
        /// The token as text; a part of a character reads as a replacement character.
        var token: String
        /// The natural logarithm of its probability, not below ``least``.
        var logprob: Double
        /// Its bytes, where the backend tells them.
        var bytes: [UInt8]?
    }

    /// The token that was drawn.
    var drawn: Candidate
    /// The likeliest alternatives, as many as were asked for.
    var alternatives: [Candidate] = []

    /// What OpenAI writes for a probability of zero.
    static let least = -9999.0
}

/// Whom a model of OpenAI's open family says a text to.
enum MessageChannel: String, Sendable, CaseIterable {
    /// Itself: reasoning.
    case analysis
    /// Its tools, and whoever watches it use them.
    case commentary
    /// The reader.
    case final
}

/// Why a choice ended, in the contract's words.
enum FinishReason: String, Sendable, CaseIterable {
    case stop
    case length
    case toolCalls = "tool_calls"
    case contentFilter = "content_filter"
}
