/// An upstream that speaks OpenAI's API: OpenAI itself, or a server that imitates it.
public struct OpenAIUpstreamConfiguration: Sendable {
    /// What an upstream does not do as OpenAI does.
    public struct Quirks: Sendable, Equatable {
        /// Send the bound as `max_tokens`: for older servers that ignore `max_completion_tokens`,
        /// and with it the bound.
        public var sendsMaxTokens = false
        /// Open a connection for each call: for servers that close one after a stream without
        /// saying so.
        public var usesFreshConnections = false

        /// Make one call for each choice: for servers that give one whatever `n` says.
        public var answersOneChoice = false
        /// What it understands beyond what all of them do.
        public var extraParameters: Set<ExtraParameter> = []

        /// No quirks.
        public init() {}
    }

    /// A parameter that not every upstream understands: OpenAI's API does not have the first ones,
    /// and of those that imitate it not all have the rest.
    public enum ExtraParameter: String, Sendable, CaseIterable {
        case topK = "top_k"
        case minP = "min_p"
        case repetitionPenalty = "repetition_penalty"
        case enableThinking = "enable_thinking"
        case templateArguments = "chat_template_kwargs"
        case separateReasoning = "separate_reasoning"
        /// Tools that take a text.
        case customTools = "custom_tools"
        /// A choice among some of the tools; without it an upstream is told of no others.
        case allowedTools = "allowed_tools"
        case prediction, store
        /// Answers that are spoken, and messages that name one.
        case audio
        case moderation
        /// Whom an assistant's earlier turns were said to.
        case channel
        /// Counts with each piece of a stream, so that those of one that is cut are exact too.
        case continuousUsage = "continuous_usage_stats"
    }

    /// The backend's name.
    public var name: String
    /// Where the API is, with its version and without a slash at the end:
    /// `https://api.openai.com/v1`.
    public var baseURL: String
    /// The keys, if the upstream wants one, in order of preference. Sent to `baseURL` only.
    public var credentials: [UpstreamCredential]
    /// Which program it is, where that is known.
    public var server = UpstreamServer.openAI
    /// What it does differently.
    public var quirks = Quirks()
    /// How long it may take and how much it may send.
    public var limits = UpstreamLimits()
    /// How it is connected to.
    public var transport = UpstreamTransport()

    /// Makes a configuration with no quirks and the usual limits, which can be set.
    public init(name: String, baseURL: String, credential: UpstreamCredential?) {
        self.name = name
        self.baseURL = baseURL
        credentials = credential.map { [$0] } ?? []
    }

    /// Why `baseURL` cannot be used; nil if it can. A user name, a query or a fragment would end up
    /// where nobody expects it.
    public static func problem(withBaseURL url: String) -> String? {
        guard url.hasPrefix("https://") || url.hasPrefix("http://") else {
            return "must begin with https:// or http://"
        }
        let rest = url.drop { $0 != ":" }.dropFirst(3)
        guard let first = rest.first, first != "/" else { return "names no host" }
        guard rest.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            return "may have neither blanks nor characters beyond ASCII"
        }
        guard !rest.contains(where: { "@?#\\".contains($0) }) else {
            return "may have neither a user name, a query nor a fragment"
        }
        return nil
    }

    /// The absolute URL that calls are sent to.
    var endpoint: String {
        baseURL[...].trimmingSlashes + "/chat/completions"
    }
}

extension Substring {
    /// The text without slashes at its end.
    var trimmingSlashes: String {
        var text = self
        while text.last == "/" { text.removeLast() }
        return String(text)
    }
}
