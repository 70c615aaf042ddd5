/// A reading of a clock that never goes back: microseconds since an origin that only the process
/// knows.
public struct Uptime: Sendable, Hashable, Comparable {
    /// Microseconds since the origin.
    public let microseconds: Int64

    /// Makes a reading of `microseconds` after the origin.
    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// The earlier comes first.
    public static func < (left: Uptime, right: Uptime) -> Bool {
        left.microseconds < right.microseconds
    }

    /// The reading `duration` later.
    public static func + (instant: Uptime, duration: Duration) -> Uptime {
        Uptime(microseconds: instant.microseconds &+ duration.microseconds)
    }

    /// The time from `right` to `left`.
    public static func - (left: Uptime, right: Uptime) -> Duration {
        .microseconds(left.microseconds &- right.microseconds)
    }
}

/// Where time comes from. The real one is wired in the program; tests pass their own.
public protocol TimeSource: Sendable {
    /// The host's wall clock. Good for what people read, never for quotas: those use the ledger's
    /// time.
    var wall: Timestamp { get }

    /// The host's monotonic clock, which goes on while the machine is suspended.
    var uptime: Uptime { get }
}
