@testable import Gateway

/// The contract's range sheet, for what was accepted.
enum RequestRanges {
    /// Checks a request that was accepted.
    static func check(_ request: ChatCompletionRequest) {
        Property.require(
            (1...ParameterLimits.longestModelName).contains(request.model.utf8.count)
                && !request.messages.isEmpty, "a request has no model or no messages")
        decimal(request.temperature, 0...2, "temperature")
        decimal(request.topP, 0...1, "top_p")
        decimal(request.minP, 0...1, "min_p")
        decimal(request.repetitionPenalty, 0...2, "repetition_penalty")
        Property.require(request.repetitionPenalty != 0, "repetition_penalty is 0")
        decimal(request.frequencyPenalty, -2...2, "frequency_penalty")
        decimal(request.presencePenalty, -2...2, "presence_penalty")
        whole(request.topK, 1...128, "top_k")
        whole(Int64(request.choices), 1...128, "n")
        whole(request.topLogprobs.map(Int64.init), 0...20, "top_logprobs")
        whole(request.maximumCompletionTokens, 1...Int64(Int32.max), "max_completion_tokens")
        Property.require(
            request.topLogprobs == nil || request.tellsLogprobs, "top_logprobs without logprobs")
        Property.require(
            request.stop.count <= 4 && !request.stop.contains(""), "stop is out of range")
        Property.require(request.logitBias.count <= 300, "logit_bias has too many entries")
        Property.require(
            Set(request.logitBias.map(\.token)).count == request.logitBias.count,
            "logit_bias names a token twice")
        for entry in request.logitBias { decimal(entry.bias, -100...100, "logit_bias") }
        Property.require(request.metadata.count <= 16, "metadata has too many entries")
        Property.require(!request.includesUsage || request.streams, "a usage chunk without stream")
        checkTools(request.tools)
        let bytes = PromptBound.bytes(request)
        Property.require(
            PromptBound.tokens(request, imageTokens: 0) >= bytes, "a prompt's bound is too small")
    }

    private static func checkTools(_ tools: ToolUse) {
        Property.require(tools.functions.count <= 128, "there are too many tools")
        Property.require(
            tools.functions.allSatisfy { (1...64).contains($0.name.utf8.count) },
            "a tool's name is out of range")
        guard case .function(let name)? = tools.choice else { return }
        Property.require(
            tools.functions.contains { $0.name == name }, "a tool is chosen that is not there")
    }

    private static func decimal(_ value: Double?, _ range: ClosedRange<Double>, _ name: String) {
        Property.require(value.map(range.contains) ?? true, "\(name) is out of range")
    }

    private static func whole(_ value: Int64?, _ range: ClosedRange<Int64>, _ name: String) {
        Property.require(value.map(range.contains) ?? true, "\(name) is out of range")
    }
}
