/// One rate limit's state: the generic cell rate algorithm (ITU-T I.371) in whole microseconds.
///
/// `tat` is the theoretical arrival time. A request of `n` cells passes iff `max(tat, now) + n ×
/// increment − now ≤ burst`. Linear in `n`; one number of state; no window edge to abuse.
public struct GCRA: Sendable, Hashable {
    private let limit: Int64
    /// The limit is shared by this many equal parts; this is one of them.
    private let shares: Int64
    private var tat: Int64

    /// The burst tolerance: one minute, so that a full minute's allowance may come at once.
    public static let burst: Duration = .microseconds(burstMicroseconds)
    private static let burstMicroseconds: Int64 = 60_000_000

    /// Makes a cell of `limit` per minute of which nothing is used.
    public init(perMinute limit: Int64) {
        self.init(perMinute: limit, shares: 1, level: .zero, at: Uptime(microseconds: .min))
    }

    /// Makes one of `shares` equal parts of a cell of `limit` per minute that is whole again in
    /// `level` from `now` on.
    public init(perMinute limit: Int64, shares: Int64, level: Duration, at now: Uptime) {
        precondition(limit >= 1 && shares >= 1, "a rate limit is at least one")
        self.limit = limit
        self.shares = shares
        tat = (now + level).microseconds
    }

    /// Whether `cells` may pass at `now`.
    public enum Decision: Sendable, Hashable {
        case pass
        case wait(Duration)
        /// More cells than the whole burst: no wait makes them pass.
        case never
    }

    /// Decides without changing anything.
    public func decide(_ cells: Int64, at now: Uptime) -> Decision {
        guard cells <= limit / shares else { return .never }
        let excess = level(at: now) + span(cells) - Self.burstMicroseconds
        return excess <= 0 ? .pass : .wait(.microseconds(excess))
    }

    /// Takes `cells`, whether or not they pass; the caller has decided.
    public mutating func take(_ cells: Int64, at now: Uptime) {
        tat = max(tat, now.microseconds) + span(cells)
    }

    /// Gives `cells` back, never below empty.
    public mutating func giveBack(_ cells: Int64, at now: Uptime) {
        // A cell that is empty by now has nothing to give back to.
        guard tat > now.microseconds else { return }
        tat = max(tat - span(cells), now.microseconds)
    }

    /// The cells that would pass at `now`.
    public func remaining(at now: Uptime) -> Int64 {
        // Rounded down; `limit × room` stays far below 2^63 for any limit up to 2^36 per minute.
        let room = Self.burstMicroseconds - level(at: now)
        return room <= 0
            ? 0
            : Int64(
                Int128(room) * Int128(limit) / (Int128(Self.burstMicroseconds) * Int128(shares)))
    }

    /// How long until the whole burst is free again.
    public func reset(at now: Uptime) -> Duration { .microseconds(level(at: now)) }

    /// Whether nothing would be lost by forgetting the cell.
    public func isFull(at now: Uptime) -> Bool { level(at: now) == 0 }

    private func level(at now: Uptime) -> Int64 {
        max(0, max(tat, now.microseconds) - now.microseconds)
    }

    /// Microseconds that `cells` occupy, rounded up so that no limit is passed by rounding:
    /// less than one microsecond in all for the whole of `cells`.
    private func span(_ cells: Int64) -> Int64 {
        let whole = Int128(cells) * Int128(Self.burstMicroseconds) * Int128(shares)
        return Int64(clamping: (whole + Int128(limit) - 1) / Int128(limit))
    }
}
