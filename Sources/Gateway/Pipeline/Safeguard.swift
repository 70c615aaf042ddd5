import Domain

/// Looks at what a request says before anything else is decided about it.
struct Safeguard: Sendable {
    let personalData: PersonalDataCheck
    /// 64 random bits, for replacements that nobody can foresee.
    let random: @Sendable () -> UInt64

    /// The request as the backend may see it; the same unless it asks for a check.
    ///
    /// Throws when the check says that nobody may see it, or cannot tell.
    func passing(
        _ request: ChatCompletionRequest
    ) async throws(GatewayFailure) -> ChatCompletionRequest {
        guard let policy = request.personalData else { return request }
        let texts = request.promptTexts
        let decision: PersonalDataDecision
        do {
            // A long text takes longer than a connection's thread may be held.
            decision = try await Self.elsewhere { [personalData, random] in
                var bits = PassedBits(next64: random)
                return try await personalData.decide(texts, by: policy, using: &bits)
            }
        } catch {
            throw .safeguardUnavailable
        }
        switch decision {
        case .unchanged: return request
        case .blocked(let counts):
            throw .invalidRequest(
                RequestFault(
                    "The messages hold personal data: \(counts).", parameter: "messages",
                    code: .personalDataDetected))
        case .replaced(let texts, _):
            var replaced = request
            replaced.promptTexts = texts
            return replaced
        }
    }

    private static func elsewhere(
        _ body: @Sendable () async throws -> PersonalDataDecision
    ) async throws -> PersonalDataDecision {
        try await withTaskExecutorPreference(globalConcurrentExecutor) { try await body() }
    }

    /// Randomness that was passed in.
    private struct PassedBits: RandomNumberGenerator {
        let next64: @Sendable () -> UInt64
        func next() -> UInt64 { next64() }
    }
}

extension ChatCompletionRequest {
    /// Everything that was said to the model, in order: each message's texts, then its reasoning, then
    /// the arguments of its calls; at last what is foretold of its answer.
    var promptTexts: [String] {
        get {
            messages.flatMap { message in
                message.content.texts + [message.reasoning].compactMap(\.self)
                    + message.toolCalls.map(\.arguments)
            } + (prediction?.texts ?? [])
        }
        set {
            var rest = newValue[...]
            for index in messages.indices { messages[index].takeTexts(from: &rest) }
            prediction?.takeTexts(from: &rest)
        }
    }
}

extension ChatMessage.Content {
    fileprivate mutating func takeTexts(from texts: inout ArraySlice<String>) {
        switch self {
        case .none: break
        case .text: self = .text(texts.removeFirst())
        case .parts(let parts):
            self = .parts(
                parts.map { part in
                    part.text == nil ? part : .text(texts.removeFirst())
                })
        }
    }
}

extension ChatMessage {
    fileprivate mutating func takeTexts(from texts: inout ArraySlice<String>) {
        content.takeTexts(from: &texts)
        if reasoning != nil { reasoning = texts.removeFirst() }
        for index in toolCalls.indices {
            let text = texts.removeFirst()
            guard text != toolCalls[index].arguments else { continue }
            toolCalls[index].arguments = text
            toolCalls[index].hasObject =
                toolCalls[index].isCustom || ToolCallHistory.isObject(text)
        }
    }
}
