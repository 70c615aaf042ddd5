import Domain

/// An answer whose use is metered. Owns what is not settled yet.
enum MeteredResponse: ~Copyable, Sendable {
    /// A whole answer, settled: the client may have all of it.
    case whole(CompletedAnswer)
    /// A stream that has begun and is settled before its end.
    case stream(MeteredStream)
}

/// What a request is answered with.
enum CompletionResponse: ~Copyable, Sendable {
    /// Its own answer.
    case metered(MeteredResponse)
    /// What another request's client was sent, which paid for it.
    case stored(StoredAnswer, of: RequestID)
}

/// A whole answer.
struct CompletedAnswer: Sendable, Equatable {
    /// One choice of it.
    struct Choice: Sendable, Equatable {
        let index: Int
        var content = ""
        var refusal: String?
        var reasoning: String?
        /// Whom the last of it was said to.
        var channel: MessageChannel?
        /// Complete calls, by their index.
        var toolCalls: [ToolCallDelta] = []
        var logprobs: [TokenLogprob] = []
        var refusalLogprobs: [TokenLogprob] = []
        var annotations: [Annotation] = []
        var sound: SoundPiece?
        var finishReason: FinishReason?
    }

    var choices: [Choice] = []
    var usage = TokenUsage.none
    var parts = UsageParts.none
    /// How soon the backend served it, where it tells.
    var serviceTier: ServiceTier?
    /// What the backend's moderation found.
    var moderation: ModerationReport?
    var timings = AnswerTimings(queue: .zero, firstToken: nil, total: .zero)

    /// Adds a piece to its choice.
    mutating func append(_ delta: ChoiceDelta) {
        let position: Int
        if let known = choices.firstIndex(where: { $0.index == delta.index }) {
            position = known
        } else {
            position = choices.count
            choices.append(Choice(index: delta.index))
        }
        if let content = delta.content { choices[position].content += content }
        if let refusal = delta.refusal {
            choices[position].refusal = (choices[position].refusal ?? "") + refusal
        }
        if let reasoning = delta.reasoning {
            choices[position].reasoning = (choices[position].reasoning ?? "") + reasoning
        }
        choices[position].channel = delta.channel ?? choices[position].channel
        for piece in delta.toolCalls { choices[position].append(piece) }
        choices[position].logprobs += delta.logprobs
        choices[position].refusalLogprobs += delta.refusalLogprobs
        choices[position].annotations += delta.annotations
        if let piece = delta.sound { choices[position].append(piece) }
        if let reason = delta.finishReason { choices[position].finishReason = reason }
    }

    /// Ends every choice of `count` that has not ended as cut by its length, also one that never
    /// began.
    mutating func cut(of count: Int) {
        for index in 0..<count where !choices.contains(where: { $0.index == index }) {
            choices.append(Choice(index: index))
        }
        for position in choices.indices where choices[position].finishReason == nil {
            choices[position].finishReason = .length
        }
    }

    /// Whether all of `count` choices are there and have ended.
    func isComplete(of count: Int) -> Bool {
        choices.count >= count && choices.allSatisfy { $0.finishReason != nil }
    }
}

extension CompletedAnswer.Choice {
    /// Adds a piece of sound.
    fileprivate mutating func append(_ piece: SoundPiece) {
        guard var whole = sound else { return sound = piece }
        whole.id = whole.id ?? piece.id
        whole.expiresAt = piece.expiresAt ?? whole.expiresAt
        if let data = piece.data { whole.data = (whole.data ?? "") + data }
        if let said = piece.transcript { whole.transcript = (whole.transcript ?? "") + said }
        sound = whole
    }

    /// Adds a piece to its call. The first id and the first name hold: some backends repeat them
    /// with each piece.
    fileprivate mutating func append(_ piece: ToolCallDelta) {
        guard let position = toolCalls.firstIndex(where: { $0.index == piece.index }) else {
            return toolCalls.append(piece)
        }
        toolCalls[position].id = toolCalls[position].id ?? piece.id
        toolCalls[position].name = toolCalls[position].name ?? piece.name
        if let arguments = piece.arguments {
            toolCalls[position].arguments = (toolCalls[position].arguments ?? "") + arguments
        }
    }
}
