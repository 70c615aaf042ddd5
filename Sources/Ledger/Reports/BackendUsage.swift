public import Domain

/// Asks what backends were used for, whoever the tenants were: what a provider's bill is about.
public struct BackendUsageQuery: Sendable, Hashable {
    /// How long a row's time is, in UTC.
    public enum Step: String, Sendable, CaseIterable {
        case day, hour
    }

    /// The backends, by their names in the configuration.
    public var backends: [String]
    /// The first instant that counts.
    public var since: Timestamp
    /// The first instant that does not.
    public var until: Timestamp
    /// How long a row's time is.
    public var step: Step

    /// Makes a query.
    public init(backends: [String], since: Timestamp, until: Timestamp, step: Step) {
        self.backends = backends
        self.since = since
        self.until = until
        self.step = step
    }
}

/// What backends were used for, by time, model and backend.
public struct BackendUsage: Sendable, Hashable {
    /// What a row stands for.
    public struct Group: Sendable, Hashable {
        /// The beginning of its day or hour, in UTC.
        public let start: Timestamp
        /// The model alias; its number after `#` when the ledger has no name for it.
        public let model: String
        /// The backend's name.
        public let backend: String

        /// Makes a group.
        public init(start: Timestamp, model: String, backend: String) {
            self.start = start
            self.model = model
            self.backend = backend
        }
    }

    /// What was used, added up.
    public struct Sums: Sendable, Hashable {
        /// Requests that were charged, and calls for others that are known to have used tokens.
        public var requests: Int128 = 0
        /// Prompt tokens, cached and cache-written ones included.
        public var promptTokens: Int128 = 0
        /// Of them, read from a cache.
        public var cachedTokens: Int128 = 0
        /// Of them, written to a cache.
        public var cacheWriteTokens: Int128 = 0
        /// Completion tokens, reasoning included.
        public var completionTokens: Int128 = 0
        /// Cost in nano-dollars, fees for each request and corrections included.
        public var costNanoUSD: Int128 = 0
        /// Of the tokens, those that the gateway counted or bounded itself: the backend reported
        /// none.
        public var estimatedTokens: Int128 = 0
        /// Tokens that corrections took away, already taken off above.
        public var correctedTokens: Int128 = 0

        /// Nothing.
        public init() {}

        /// Takes corrected tokens off: completions first, for nothing says which they were, and a
        /// request that was never seen to end most likely generated less than its bound.
        mutating func correct(tokens: Int128) {
            correctedTokens += tokens
            let completion = min(completionTokens, tokens)
            completionTokens -= completion
            promptTokens -= min(promptTokens, tokens - completion)
        }

        /// Adds up field by field.
        public static func + (left: Sums, right: Sums) -> Sums {
            var sum = left
            sum.requests += right.requests
            sum.promptTokens += right.promptTokens
            sum.cachedTokens += right.cachedTokens
            sum.cacheWriteTokens += right.cacheWriteTokens
            sum.completionTokens += right.completionTokens
            sum.costNanoUSD += right.costNanoUSD
            sum.estimatedTokens += right.estimatedTokens
            sum.correctedTokens += right.correctedTokens
            return sum
        }
    }

    /// The sums of each group.
    public var sums: [Group: Sums] = [:]
    /// Days within the query whose records retention has dropped: nothing is known of them by
    /// backend.
    public var droppedDays: Set<CalendarDay> = []
    /// Requests of the query that are open: not in the sums yet.
    public var openRequests: Int64 = 0

    /// Nothing.
    public init() {}
}
