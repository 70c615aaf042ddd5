/// What was used, added up. Wider than the ledger's own numbers, so that no sum of them can
/// overflow.
public struct UsageSums: Sendable, Hashable {
    /// Charged requests.
    public var requests: Int128 = 0
    /// Requests that came to nothing and were not charged.
    public var failedRequests: Int128 = 0
    /// Prompt tokens, cached and cache-written ones included.
    public var promptTokens: Int128 = 0
    /// Prompt tokens that were read from a backend's cache.
    public var cachedTokens: Int128 = 0
    /// Prompt tokens that were written to a backend's cache.
    public var cacheWriteTokens: Int128 = 0
    /// Completion tokens, reasoning included.
    public var completionTokens: Int128 = 0
    /// Completion tokens that a model spent on reasoning.
    public var reasoningTokens: Int128 = 0
    /// Tokens that quotas were charged.
    public var chargedTokens: Int128 = 0
    /// Cost in nano-dollars.
    public var costNanoUSD: Int128 = 0

    /// Nothing.
    public init() {}

    /// Prompt and completion tokens together.
    public var totalTokens: Int128 { promptTokens + completionTokens }

    /// Adds up field by field.
    public static func + (left: UsageSums, right: UsageSums) -> UsageSums {
        var sum = left
        sum.requests += right.requests
        sum.failedRequests += right.failedRequests
        sum.promptTokens += right.promptTokens
        sum.cachedTokens += right.cachedTokens
        sum.cacheWriteTokens += right.cacheWriteTokens
        sum.completionTokens += right.completionTokens
        sum.reasoningTokens += right.reasoningTokens
        sum.chargedTokens += right.chargedTokens
        sum.costNanoUSD += right.costNanoUSD
        return sum
    }
}
