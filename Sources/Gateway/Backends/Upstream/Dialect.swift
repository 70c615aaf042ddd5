/// How a backend of the OpenAI family wants to be spoken to.
enum Dialect: Sendable, Equatable {
    /// OpenAI's API as published, or a server that imitates it.
    case openAI(
        bound: BoundParameter, extras: Set<OpenAIUpstreamConfiguration.ExtraParameter> = [])
    /// llama.cpp's server, which knows more parameters and has defaults that are not neutral.
    case llamaServer

    /// Under which name a bound on completion tokens is sent.
    enum BoundParameter: Sendable, Equatable {
        /// `max_completion_tokens`: current; it also counts reasoning.
        case maxCompletionTokens
        /// `max_tokens`: for servers that do not know the other.
        case maxTokens
    }

    /// Whether calls for a plain answer are streamed all the same: llama-server notices that a
    /// caller of a plain answer has left only after a second in which nothing happens, which may be
    /// never.
    var alwaysStreams: Bool { self == .llamaServer }

    /// Whether `timings` of its answers are its own exact counts.
    var readsTimings: Bool { self == .llamaServer }

    /// Whether the reasoning of an assistant's earlier turns is sent, for templates that keep it.
    /// OpenAI's API has no place for it; an upstream whose reasoning can be steered has.
    var keepsReasoning: Bool {
        switch self {
        case .llamaServer: true
        case .openAI(_, let extras):
            !extras.isDisjoint(with: [.enableThinking, .templateArguments, .separateReasoning])
        }
    }

    /// Whether an assistant's earlier turns say whom they were said to.
    var keepsChannels: Bool {
        switch self {
        case .llamaServer: false
        case .openAI(_, let extras): extras.contains(.channel)
        }
    }

    /// Whether counts are asked for with each piece of a stream.
    var asksForContinuousUsage: Bool {
        switch self {
        case .llamaServer: false
        case .openAI(_, let extras): extras.contains(.continuousUsage)
        }
    }

    /// Whether a choice among some of the tools is told as it is; others are told of no more than
    /// those.
    var knowsAllowedTools: Bool {
        switch self {
        case .llamaServer: false
        case .openAI(_, let extras): extras.contains(.allowedTools)
        }
    }

    /// The first parameter in the request that this dialect cannot express, by the name clients
    /// know; nil if it can express all of them. Dropping one silently would change what the client
    /// asked for, so the pipeline refuses with this name before anything is reserved.
    func unsupportedParameter(in request: ChatCompletionRequest) -> String? {
        switch self {
        case .llamaServer: return LlamaServerParameters.unsupported(in: request)
        case .openAI(_, let extras):
            return OpenAIParameters.unsupported(in: request, beside: extras)
        }
    }
}
