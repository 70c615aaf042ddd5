import Domain

/// Programs that speak OpenAI's API, each with parameters that it has beside it, lacks, or calls
/// otherwise. What one lacks is refused by name: all of them read over what they do not know, and a
/// client would not learn that its wish was dropped.
///
/// Read in vLLM's and SGLang's `protocol.py`, Ollama's `openai.go` and their documentation, in
/// November 2026.
public enum UpstreamServer: String, Sendable, CaseIterable {
    /// OpenAI itself, or something that is not listed here.
    case openAI = "openai"
    /// llama.cpp's server, run by somebody else.
    case llamaServer = "llama_server"
    /// vLLM.
    case vLLM = "vllm"
    /// SGLang.
    case sgLang = "sglang"
    /// Ollama.
    case ollama

    /// What it does otherwise than OpenAI.
    public var quirks: OpenAIUpstreamConfiguration.Quirks {
        var quirks = OpenAIUpstreamConfiguration.Quirks()
        switch self {
        case .openAI: break
        // It gives no more choices than it has slots, which nobody here knows.
        case .llamaServer: quirks.answersOneChoice = true
        case .vLLM:
            quirks.extraParameters = [
                .topK, .minP, .repetitionPenalty, .templateArguments, .continuousUsage,
            ]
        case .sgLang:
            quirks.extraParameters = [
                .topK, .minP, .repetitionPenalty, .templateArguments, .separateReasoning,
                .continuousUsage,
            ]
        case .ollama:
            // It does not know the newer name of the bound, and would answer without end.
            quirks.sendsMaxTokens = true
            quirks.answersOneChoice = true
        }
        return quirks
    }

    /// The call with a neutral value for everything that steers the draw and that its client leaves
    /// unsaid, where the server would not take OpenAI's default then.
    ///
    /// vLLM and SGLang take what the model's own `generation_config.json` says, which is not what a
    /// client of OpenAI's API relies on. `known` are the parameters that this one understands.
    func withDefaults(
        _ call: BackendCall, known: Set<OpenAIUpstreamConfiguration.ExtraParameter>
    ) -> BackendCall {
        guard self == .vLLM || self == .sgLang else { return call }
        var call = call
        call.request.temperature = call.request.temperature ?? 1
        call.request.topP = call.request.topP ?? 1
        // Both say -1 for all tokens.
        if known.contains(.topK) { call.request.topK = call.request.topK ?? -1 }
        if known.contains(.minP) { call.request.minP = call.request.minP ?? 0 }
        if known.contains(.repetitionPenalty) {
            call.request.repetitionPenalty = call.request.repetitionPenalty ?? 1
        }
        return call
    }

    /// The first parameter of a request that it would read over; nil if there is none. What the
    /// quirks and the dialect say is asked apart.
    func unsupported(in request: ChatCompletionRequest) -> String? {
        switch self {
        case .openAI, .llamaServer: nil
        case .vLLM: Self.unknownToAll(in: request)
        case .sgLang: Self.unknownToAll(in: request) ?? Self.parallel(in: request)
        case .ollama:
            Self.unknownToAll(in: request) ?? Self.parallel(in: request)
                ?? Self.unknownToOllama(in: request)
        }
    }

    /// What OpenAI alone has: searches, tiers and a wordiness to choose, caches to steer, and files.
    private static func unknownToAll(in request: ChatCompletionRequest) -> String? {
        if request.webSearch != nil { return "web_search_options" }
        if let tier = request.serviceTier, !tier.isUsual { return "service_tier" }
        if let verbosity = request.verbosity, verbosity != .medium { return "verbosity" }
        if request.caching.mode == .explicit { return "prompt_cache_options.mode" }
        if let longLife = request.caching.longLife { return longLife }
        return request.firstPart { if case .file = $0 { true } else { false } }
    }

    /// One call at a time is something that only some can promise.
    private static func parallel(in request: ChatCompletionRequest) -> String? {
        request.tools.isParallel || request.tools.callable.isEmpty ? nil : "parallel_tool_calls"
    }

    private static func unknownToOllama(in request: ChatCompletionRequest) -> String? {
        if !request.logitBias.isEmpty { return "logit_bias" }
        switch request.tools.choice {
        case .some(.required), .some(.function), .some(.custom): return "tool_choice"
        case .some(.allowed(let allowed)) where allowed.isRequired: return "tool_choice"
        // It would show the functions to the model all the same.
        case .some(.none) where !request.tools.functions.isEmpty: return "tool_choice"
        case .some(.allowed), .some(.auto), .some(.none), nil: break
        }
        // It knows text and images.
        return request.firstPart {
            switch $0 {
            case .text, .image: false
            default: true
            }
        }
    }
}
