import JSON

/// Writes the parameters that are particular to OpenAI's API: what the client set, and the rest is
/// left to the upstream.
enum OpenAIParameters {
    /// Writes the parameters of `call`, its bound under the name that the upstream knows.
    static func write(
        _ call: BackendCall, bound: Dialect.BoundParameter, to json: inout JSONWriter
    ) {
        let request = call.request
        switch bound {
        case .maxCompletionTokens: json.key("max_completion_tokens")
        case .maxTokens: json.key("max_tokens")
        }
        json.integer(call.completionBound)
        if request.choices > 1 {
            json.key("n")
            json.integer(request.choices)
        }
        json.member("temperature", request.temperature)
        json.member("top_p", request.topP)
        json.member("frequency_penalty", request.frequencyPenalty)
        json.member("presence_penalty", request.presencePenalty)
        if let seed = request.seed {
            json.key("seed")
            json.integer(seed)
        }
        if request.tellsLogprobs {
            json.key("logprobs")
            json.bool(true)
            if let top = request.topLogprobs {
                json.key("top_logprobs")
                json.integer(top)
            }
        }
        json.member("reasoning_effort", request.reasoning.effort?.rawValue)
        json.member("verbosity", request.verbosity?.rawValue)
        json.member("user", request.user)
        json.member("safety_identifier", request.safetyIdentifier)
        json.member("prompt_cache_key", request.promptCacheKey)
    }
    /// The first parameter that OpenAI's API has no name for; nil if it has one for all.
    static func unsupported(in request: ChatCompletionRequest) -> String? {
        if request.topK != nil { return "top_k" }
        if request.minP != nil { return "min_p" }
        if request.repetitionPenalty != nil { return "repetition_penalty" }
        let reasoning = request.reasoning
        if !reasoning.isSeparate { return "separate_reasoning" }
        if !reasoning.templateArguments.isEmpty { return "chat_template_kwargs" }
        // An effort of none is OpenAI's word for it; a switch is not.
        let isSaidByEffort = reasoning.isEnabled == false && reasoning.effort == .some(.none)
        return reasoning.isEnabled == nil || isSaidByEffort ? nil : "enable_thinking"
    }
}
