import Domain

/// Which requests Anthropic's API can honour. Pure.
struct MessagesParameters: Sendable {
    /// How the models behind the API think.
    let thinking: AnthropicUpstreamConfiguration.Thinking
    /// Whether they take `temperature`, `top_p` and `top_k`.
    let takesSampling: Bool

    /// The longest name of a user that the API takes, in characters.
    private static let longestUser = 256
    /// The least `top_p` beside thinking.
    private static let leastThinkingTopP = 0.95

    /// The first parameter of a request that the API has no name for, by the name clients know; nil
    /// if it has one for all. What has a neutral value asks for nothing.
    func unsupported(in request: ChatCompletionRequest, bound: Int64) -> String? {
        let plan = MessagesThinking(request, bound: bound, at: thinking)
        if case .refused(let name) = plan { return name }
        return Self.unknown(in: request) ?? sampling(request, isThinking: plan.isOn)
            ?? Self.form(request, isThinking: plan.isOn) ?? Self.message(request)
    }

    /// What the API has no word for at all.
    private static func unknown(in request: ChatCompletionRequest) -> String? {
        let asked: [(String, Bool)] = [
            ("min_p", request.minP ?? 0 != 0),
            ("repetition_penalty", request.repetitionPenalty ?? 1 != 1),
            ("frequency_penalty", request.frequencyPenalty ?? 0 != 0),
            ("presence_penalty", request.presencePenalty ?? 0 != 0),
            ("logit_bias", !request.logitBias.isEmpty),
            ("seed", request.seed != nil),
            ("logprobs", request.tellsLogprobs),
            ("verbosity", request.verbosity ?? .medium != .medium),
            ("separate_reasoning", !request.reasoning.isSeparate),
            // Newer models go on until their context is full, whatever was asked for.
            ("context_length_exceeded_behavior", request.overflow == .error),
            ("chat_template_kwargs", !request.reasoning.templateArguments.isEmpty),
            ("prediction", request.prediction != nil),
            ("store", request.isStored),
            ("service_tier", request.serviceTier.map { !$0.isUsual } ?? false),
        ]
        // It keeps a prompt for five minutes, or for an hour at a price of its own.
        return asked.first { $0.1 }?.0 ?? request.caching.longLife ?? request.firstHiddenChannel
            ?? request.firstAddition
    }

    /// What steers the draw: one of `temperature` and `top_p`, and little of it beside thinking.
    private func sampling(_ request: ChatCompletionRequest, isThinking: Bool) -> String? {
        let temperature = request.temperature ?? 1
        let topP = request.topP ?? 1
        if temperature > 1 || (temperature != 1 && (isThinking || !takesSampling)) {
            return "temperature"
        }
        if topP != 1 && (!takesSampling || temperature != 1) { return "top_p" }
        if isThinking && topP < Self.leastThinkingTopP { return "top_p" }
        if request.topK != nil && (!takesSampling || isThinking) { return "top_k" }
        return nil
    }

    /// The form of the answer, and what goes with the request.
    private static func form(_ request: ChatCompletionRequest, isThinking: Bool) -> String? {
        if request.format == .jsonObject { return "response_format" }
        let tools = request.tools.narrowed
        switch tools.choice {
        case .required, .function:
            // Thinking leaves the choice to the model.
            if isThinking { return request.tools.isLegacy ? "function_call" : "tool_choice" }
        // A custom tool is refused where it is offered; a choice among some is a narrower one.
        case .auto, .some(.none), .custom, .allowed, nil: break
        }
        if let custom = request.firstCustomTool(among: tools.functions) { return custom }
        if request.stop.contains(where: { $0.allSatisfy(\.isWhitespace) }) { return "stop" }
        if let user = request.safetyIdentifier ?? request.user,
            user.unicodeScalars.count > longestUser
        {
            return request.safetyIdentifier == nil ? "user" : "safety_identifier"
        }
        return nil
    }

    /// What stands in a message.
    private static func message(_ request: ChatCompletionRequest) -> String? {
        if let media = request.firstPart(where: \.isForeign) { return media }
        for (position, message) in request.messages.enumerated() {
            if let offence = offence(in: message) { return "messages[\(position)].\(offence)" }
        }
        // Instructions alone are no conversation.
        return MessagesConversation(request.messages).turns.isEmpty ? "messages" : nil
    }

    private static func offence(in message: ChatMessage) -> String? {
        // An answer of a function whose call is not there has no call to answer.
        if message.role == .function { return "role" }
        // Who answers a call is known from the call.
        if message.name != nil && message.role != .tool { return "name" }
        if let call = message.toolCalls.firstIndex(where: { !$0.hasObject && !$0.arguments.isEmpty }
        ) {
            return "tool_calls[\(call)].function.arguments"
        }
        guard case .parts(let parts) = message.content else { return nil }
        for (position, part) in parts.enumerated() {
            guard case .image(let image) = part else { continue }
            let path = "content[\(position)].image_url"
            if MessagesImage(image) == nil { return "\(path).url" }
            // It always looks as closely as it can.
            if image.detail == .low { return "\(path).detail" }
        }
        return nil
    }
}

extension ContentPart {
    /// Whether the API has no block for it.
    fileprivate var isForeign: Bool {
        switch self {
        case .text, .image: false
        case .audio, .video, .file: true
        }
    }
}
