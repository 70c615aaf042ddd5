/// How requests are tried again, and when a backend is left alone.
public struct RoutingPolicy: Sendable, Hashable {
    /// The most calls that are made for one request; 1 tries nothing again.
    public var attempts: Int64 = 2
    /// From a request's admission until its answer has begun, or is whole where it is not
    /// streamed, over all attempts; nil leaves it to the waits of each backend.
    public var deadline: Duration?
    /// The longest wait before the first retry at the same backend; it doubles with each further.
    public var backoff = Duration.milliseconds(100)
    /// The longest wait before any retry.
    public var longestBackoff = Duration.seconds(2)
    /// How many retries there may be.
    public var budget = RetryBudget.Limits()
    /// When a backend's breaker opens.
    public var breaker = CircuitBreaker.Limits()

    /// Whether clients are told which backend answered, after how many attempts.
    public var showsBackends = false
    /// The most copies of requests that run at a time.
    public var shadowCalls: Int64 = 8

    /// The usual policy.
    public init() {}

    /// The wait before a retry at the backend that has just failed, counted from 1: anything up to
    /// the longest ("full jitter" of M. Brooker, "Exponential Backoff And Jitter", AWS, 2015), so
    /// that those that failed together do not come back together.
    ///
    /// - Parameter random: 64 random bits.
    public func wait(beforeRetry retry: Int, random: UInt64) -> Duration {
        let longest = min(backoff * (1 << min(max(0, retry - 1), 16)), longestBackoff)
        let share = UInt64(max(0, longest.microseconds)).multipliedFullWidth(by: random).high
        return .microseconds(Int64(share))
    }
}
