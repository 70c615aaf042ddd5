/// An upstream that speaks Anthropic's Messages API.
public struct AnthropicDescription: Sendable, Hashable {
    /// The URL in front of `/v1/messages`, without a slash at its end.
    public var baseURL: String
    /// The environment variables that hold the upstream's keys; none when it needs none.
    public var apiKeyVariables: [String]
    /// The value of the header `anthropic-version`.
    public var version: String
    /// How its models are asked to think.
    public var thinking: Thinking
    /// How many tokens a model may think for, where it is told that.
    public var budgets: Budgets
    /// Whether its models take `temperature`, `top_p` and `top_k`.
    public var takesSampling: Bool
    /// How it is reached.
    public var connection: UpstreamConnection

    /// How models are asked to think.
    public enum Thinking: String, Sendable, CaseIterable {
        /// They cannot.
        case none
        /// With a number of tokens.
        case budget
        /// With a word for the effort.
        case adaptive
        /// The same, and they cannot be told not to think.
        case always
    }

    /// How many tokens a model may think for, by `reasoning_effort`.
    public struct Budgets: Sendable, Hashable {
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
}
