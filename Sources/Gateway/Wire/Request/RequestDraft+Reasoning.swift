import JSON

/// The switches of reasoning: three systems have three names for one thing.
extension RequestDraft {
    /// Takes what is about reasoning.
    mutating func take(
        _ parameter: RequestParameter.Reasoning, _ value: JSONValue
    ) throws(RequestFault) {
        let name = parameter.rawValue
        switch parameter {
        case .reasoningEffort: request.reasoning.effort = try ParameterReading.word(value, name)
        case .enableThinking:
            request.reasoning.isEnabled = try ParameterReading.bool(value, name)
        case .separateReasoning:
            request.reasoning.isSeparate = try ParameterReading.bool(value, name)
        case .chatTemplateKwargs:
            guard value.kind == .object else { throw .type(name, expected: "an object") }
            for member in value.members where !member.value.isNull {
                try takeTemplateArgument(member.key, member.value, in: name)
            }
        }
    }

    private mutating func takeTemplateArgument(
        _ key: String, _ value: JSONValue, in name: String
    ) throws(RequestFault) {
        switch key {
        case "enable_thinking":
            templateThinking = try ParameterReading.bool(value, "\(name).enable_thinking")
        case "reasoning_effort":
            templateEffort = try ParameterReading.word(value, "\(name).reasoning_effort")
        default:
            guard ParameterLimits.templateArgumentLength.contains(key.utf8.count) else {
                throw .value(name, expected: "keys of 1 to 64 bytes")
            }
            request.reasoning.templateArguments.append(
                TemplateArgument(name: key, value: JSONFragment(value)))
        }
    }

    /// Checks that the switches do not contradict each other, and makes one of them.
    mutating func finishReasoning() throws(RequestFault) {
        let kwargs = "chat_template_kwargs"
        // A switch is told by the name under which it was given.
        let isThinkingNested = request.reasoning.isEnabled == nil
        let isEffortNested = request.reasoning.effort == nil
        if let templateThinking {
            guard request.reasoning.isEnabled ?? templateThinking == templateThinking else {
                throw .contradiction("\(kwargs).enable_thinking", "enable_thinking")
            }
            request.reasoning.isEnabled = templateThinking
        }
        if let templateEffort {
            guard request.reasoning.effort ?? templateEffort == templateEffort else {
                throw .contradiction("\(kwargs).reasoning_effort", "reasoning_effort")
            }
            request.reasoning.effort = templateEffort
        }
        guard request.reasoning.effort == ReasoningOptions.Effort.none else {
            // The explicit switch wins: an effort beside it would have some models think.
            if request.reasoning.isEnabled == false { request.reasoning.effort = nil }
            return
        }
        guard request.reasoning.isEnabled != true else {
            throw .contradiction(
                (isEffortNested ? "\(kwargs)." : "") + "reasoning_effort",
                (isThinkingNested ? "\(kwargs)." : "") + "enable_thinking")
        }
        request.reasoning.isEnabled = false
    }
}
