import Domain

/// How fast something is used.
enum UsageRate {
    /// Requests and tokens per second between two looks at the books; nothing where the span has
    /// moved on and has less in it than before.
    static func text(from before: UsageSums, to now: UsageSums, in time: Duration) -> String {
        let milliseconds = Int128(time.microseconds / 1000)
        let requests = now.requests - before.requests
        let tokens = now.totalTokens - before.totalTokens
        guard milliseconds > 0, requests >= 0, tokens >= 0 else { return "" }
        let tenths = requests * 10_000 / milliseconds
        return ": \(NumberText.grouped(tenths / 10)).\(tenths % 10) requests/s, "
            + "\(NumberText.grouped(tokens * 1000 / milliseconds)) tokens/s"
    }
}
