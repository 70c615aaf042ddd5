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
        json.member("user", request.user)
    }
}
