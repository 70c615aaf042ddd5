/// When an event that a webhook did not take is sent again, and when no more. Pure: chance is passed
/// in.
public struct DeliverySchedule: Sendable, Hashable {
    /// The most tries.
    public var attempts: Int64
    /// The longest wait before the second try; each further one is four times as long.
    public var backoff: Duration
    /// The longest wait of them all.
    public var longestBackoff: Duration

    /// Makes a schedule. Ten tries, five seconds and twelve hours are over after about 27 hours.
    public init(attempts: Int64, backoff: Duration, longestBackoff: Duration) {
        self.attempts = attempts
        self.backoff = backoff
        self.longestBackoff = longestBackoff
    }

    /// How long to wait after `attempt` tries, counted from 1; nil when that was the last one.
    ///
    /// Drawn between half of the longest wait and all of it, so that what failed together does not
    /// come back together. A receiver that `asked` for a longer one gets it, up to the longest.
    public func wait(after attempt: Int64, asked: Duration?, random: UInt64) -> Duration? {
        guard attempt < attempts else { return nil }
        var longest = min(backoff, longestBackoff).microseconds
        for _ in 1..<max(1, min(attempt, 32)) {
            longest = min(longest * 4, longestBackoff.microseconds)
        }
        let half = longest / 2
        let drawn = half + Int64(UInt64(longest - half + 1).multipliedFullWidth(by: random).high)
        let asked = min(asked?.microseconds ?? 0, longestBackoff.microseconds)
        return .microseconds(max(drawn, asked))
    }
}
