/// The names of a body's members that the reader knows, one set for each group of parameters.
///
/// A name gets to its group's reading only by its set, and the reference describes every name of
/// every set in a switch without `default`: what is read cannot be missing in the reference.
enum RequestParameter {
    /// Whether the reader knows a member of a body by this name.
    static func knows(_ name: String) -> Bool {
        Main(rawValue: name) != nil || Sampling(rawValue: name) != nil
            || Tools(rawValue: name) != nil || Format(rawValue: name) != nil
            || Reasoning(rawValue: name) != nil || Safeguards(rawValue: name) != nil
            || Account(rawValue: name) != nil || Additions(rawValue: name) != nil
    }

    /// What belongs to no other group.
    enum Main: String, CaseIterable, Sendable {
        case model, messages, stream
        case streamOptions = "stream_options"
        case maxTokens = "max_tokens"
        case maxCompletionTokens = "max_completion_tokens"
        case stop
    }

    /// How tokens are drawn, and what is told about the draw.
    enum Sampling: String, CaseIterable, Sendable {
        case temperature
        case topP = "top_p"
        case topK = "top_k"
        case minP = "min_p"
        case repetitionPenalty = "repetition_penalty"
        case frequencyPenalty = "frequency_penalty"
        case presencePenalty = "presence_penalty"
        case seed
        case doSample = "do_sample"
        case logitBias = "logit_bias"
        case logprobs
        case topLogprobs = "top_logprobs"
        case n
    }

    /// The functions offered to the model.
    enum Tools: String, CaseIterable, Sendable {
        case tools
        case toolChoice = "tool_choice"
        case parallelToolCalls = "parallel_tool_calls"
        case functions
        case functionCall = "function_call"
    }

    /// The form of the answer.
    enum Format: String, CaseIterable, Sendable {
        case responseFormat = "response_format"
        case contextLengthExceededBehavior = "context_length_exceeded_behavior"
        case verbosity
        case prediction
    }

    /// The switches of reasoning.
    enum Reasoning: String, CaseIterable, Sendable {
        case reasoningEffort = "reasoning_effort"
        case enableThinking = "enable_thinking"
        case separateReasoning = "separate_reasoning"
        case chatTemplateKwargs = "chat_template_kwargs"
    }

    /// Checks of what goes in and what comes out.
    enum Safeguards: String, CaseIterable, Sendable {
        case input, output
    }

    /// What an upstream does beside writing text.
    enum Additions: String, CaseIterable, Sendable {
        case modalities, audio
        case webSearchOptions = "web_search_options"
        case moderation
    }

    /// What a client says about itself and its request.
    enum Account: String, CaseIterable, Sendable {
        case user
        case safetyIdentifier = "safety_identifier"
        case promptCacheKey = "prompt_cache_key"
        case promptCacheOptions = "prompt_cache_options"
        case promptCacheRetention = "prompt_cache_retention"
        case metadata
        case serviceTier = "service_tier"
        case store
    }
}
