/// What to know about an upstream that speaks Anthropic's Messages API.
public struct AnthropicUpstreamConfiguration: Sendable {
    /// How the models of an upstream are asked to think.
    public enum Thinking: Sendable, Equatable {
        /// They do not think.
        case unavailable
        /// They are told how many tokens they may think for.
        case budgeted(ThinkingBudgets)
        /// They decide themselves, and are told how much effort to make.
        case adaptive
        /// The same, and they cannot be told not to think.
        case always
    }

    /// How many tokens a model may think for, by `reasoning_effort`.
    public struct ThinkingBudgets: Sendable, Equatable {
        /// For `minimal`.
        public var minimal: Int64 = 1024
        /// For `low`.
        public var low: Int64 = 2048
        /// For `medium`, and where a client only says that the model is to think.
        public var medium: Int64 = 8192
        /// For `high`.
        public var high: Int64 = 16_384
        /// For `xhigh`.
        public var xhigh: Int64 = 32_768
        /// For `max`.
        public var max: Int64 = 65_536

        /// The usual budgets.
        public init() {}
    }

    /// The backend's name.
    public var name: String
    /// Where the API is, without a slash at the end: `https://api.anthropic.com`.
    public var baseURL: String
    /// The keys, if the upstream wants one, in order of preference. Sent to `baseURL` only.
    public var credentials: [UpstreamCredential]
    /// The `anthropic-version` header.
    public var version = "2023-06-01"
    /// How its models think.
    public var thinking = Thinking.adaptive
    /// Whether its models take `temperature`, `top_p` and `top_k`: the newest do not.
    public var takesSampling = true
    /// How long it may take and how much it may send.
    public var limits = UpstreamLimits()
    /// How it is connected to.
    public var transport = UpstreamTransport()

    /// Makes a configuration with the usual values, which can be set.
    public init(name: String, baseURL: String, credential: UpstreamCredential?) {
        self.name = name
        self.baseURL = baseURL
        credentials = credential.map { [$0] } ?? []
    }

    /// The absolute URL that calls are sent to, whether or not the base names the version.
    var endpoint: String { versionedBase + "/messages" }

    /// The absolute URL of the list of models.
    var modelsEndpoint: String { versionedBase + "/models" }

    private var versionedBase: String {
        let base = baseURL[...].trimmingSlashes
        return base.hasSuffix("/v1") ? base : base + "/v1"
    }
}
