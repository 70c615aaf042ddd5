import JSON

/// The switches of reasoning: three systems have three names for one thing.
extension RequestDraft {
    /// Takes what is about reasoning; false for another name.
    mutating func takeReasoning(_ name: String, _ value: JSONValue) throws(RequestFault) -> Bool {
        switch name {
        case "reasoning_effort": request.reasoning.effort = try ParameterReading.word(value, name)
        case "enable_thinking":
            request.reasoning.isEnabled = try ParameterReading.bool(value, name)
        case "separate_reasoning":
            request.reasoning.isSeparate = try ParameterReading.bool(value, name)
        case "chat_template_kwargs":
            guard value.kind == .object else { throw .type(name, expected: "an object") }
            for member in value.members where !member.value.isNull {
                try takeTemplateArgument(member.key, member.value, in: name)
            }
        default: return false
        }
        return true
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
            guard (1...64).contains(key.utf8.count) else {
                throw .value(name, expected: "keys of 1 to 64 bytes")
            }
            request.reasoning.templateArguments.append(
                TemplateArgument(name: key, value: JSONFragment(value)))
        }
    }

    /// Checks that the switches do not contradict each other, and makes one of them.
    mutating func finishReasoning() throws(RequestFault) {
        let kwargs = "chat_template_kwargs"
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
        guard request.reasoning.effort == ReasoningOptions.Effort.none else { return }
        guard request.reasoning.isEnabled != true else {
            throw .contradiction("reasoning_effort", "enable_thinking")
        }
        request.reasoning.isEnabled = false
    }
}
