/// How many retries the requests of the last ten seconds have earned: a share of them, and a few in
/// any case. Pure: the caller supplies the time.
///
/// Limits what a failing backend costs the others: however many clients there are, and whatever
/// each of them does, the calls grow by no more than this share. After Finagle's `RetryBudget` (a
/// share of requests over 10 s and a floor) and gRPC's proposal A6 (retry throttling per server);
/// Envoy's `retry_budget` is the same with 20 per cent and 3.
public struct RetryBudget: Sendable {
    /// What is earned.
    public struct Limits: Sendable, Hashable {
        /// Retries in a hundred requests.
        public var percent: Int64 = 20
        /// Retries in ten seconds that need no request to earn them, so that a quiet gateway may
        /// retry too.
        public var floor: Int64 = 10

        /// The usual limits.
        public init() {}
    }

    /// Over how long requests and retries are counted.
    public static let window = Duration.seconds(10)

    private let limits: Limits
    private var counts = WindowedCounts(window: window)

    /// Nothing is earned yet but the floor.
    public init(_ limits: Limits) { self.limits = limits }

    /// Counts a request, which earns a part of a retry.
    public mutating func earn(at now: Uptime) { counts.add(all: 1, part: 0, at: now) }

    /// Takes one retry out of the budget; false when there is none left.
    public mutating func spend(at now: Uptime) -> Bool {
        let (requests, retries) = counts.sums(at: now)
        guard (retries + 1 - limits.floor) * 100 <= requests * limits.percent else { return false }
        counts.add(all: 0, part: 1, at: now)
        return true
    }
}
