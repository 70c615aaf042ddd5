/// What completes a chat, as the configuration describes it.
public struct BackendDescription: Sendable, Hashable {
    /// The name that models refer to.
    public var name: String
    /// The line of the file on which it stands.
    public var line: Int
    /// What it is.
    public var kind: Kind

    /// What a backend is.
    public enum Kind: Sendable, Hashable {
        /// A llama-server that the gateway starts and supervises.
        case localEngine(EngineDescription)
        /// An upstream that speaks the chat-completions protocol.
        case openAI(UpstreamDescription)
        /// An upstream that speaks Anthropic's Messages API.
        case anthropic(AnthropicDescription)
    }

    /// The word for a kind in the file.
    enum KindName: String, CaseIterable {
        case localEngine = "local_engine"
        case openAI = "openai"
        case anthropic
    }
}

/// A llama-server that the gateway starts and supervises.
public struct EngineDescription: Sendable, Hashable {
    /// The GGUF file.
    public var modelFile: String
    /// How many requests it works on at once.
    public var slots: Int64
    /// The context of one slot, in tokens: at least what every model alias on it promises.
    public var contextTokens: Int64
    /// How many threads it computes with; nil leaves it to the engine.
    public var threads: Int64?
    /// The path of llama-server; nil means the one that is found.
    public var command: String?
    /// Given to llama-server behind all others.
    public var extraArguments: [String]
    /// When it is loaded.
    public var start: Start
    /// How long one that is loaded on demand stays without a request.
    public var idleUnload: Duration
    /// What it takes of the engines' memory, in megabytes; nil estimates it.
    public var memoryMegabytes: Int64?
    /// How many requests wait for a slot, of all teams together.
    public var queueLength: Int64
    /// How long one waits.
    public var queueTimeout: Duration

    /// When an engine is loaded.
    public enum Start: String, Sendable, CaseIterable {
        /// With the gateway, until it stops.
        case always
        /// When a request asks for it.
        case onDemand = "on_demand"
    }
}

/// An upstream that speaks the chat-completions protocol.
public struct UpstreamDescription: Sendable, Hashable {
    /// The URL in front of `/chat/completions`, without a slash at its end.
    public var baseURL: String
    /// The environment variables that hold the upstream's keys; none when it needs none.
    public var apiKeyVariables: [String]
    /// The program it is, which decides what is not said below.
    public var server: Server
    /// The field that bounds an answer's tokens, if that is said.
    public var maximumTokensField: MaximumTokensField?
    /// Whether it gives several choices to one call, if that is said; for one that does not, a call
    /// is made for each.
    public var severalChoices: Bool?
    /// The parameters that it understands beyond those that every upstream does, if that is said.
    public var extraParameters: [ExtraParameter]?
    /// How it is reached.
    public var connection: UpstreamConnection

    /// A parameter that not every upstream understands.
    public enum ExtraParameter: String, Sendable, CaseIterable {
        case topK = "top_k"
        case minP = "min_p"
        case repetitionPenalty = "repetition_penalty"
        case enableThinking = "enable_thinking"
        case templateArguments = "chat_template_kwargs"
        case separateReasoning = "separate_reasoning"
        case customTools = "custom_tools"
        case allowedTools = "allowed_tools"
        case prediction, store, audio, moderation, channel
        case continuousUsage = "continuous_usage_stats"
    }

    /// A program that speaks the protocol.
    public enum Server: String, Sendable, CaseIterable {
        case openAI = "openai"
        case llamaServer = "llama_server"
        case vLLM = "vllm"
        case sgLang = "sglang"
        case ollama
    }

    /// The field that bounds an answer's tokens.
    public enum MaximumTokensField: String, Sendable, CaseIterable {
        case maxCompletionTokens = "max_completion_tokens"
        case maxTokens = "max_tokens"
    }
}
