/// An instant in microseconds since 1970-01-01 00:00 UTC, the only wall time that Turnpike stores.
public struct Timestamp: Sendable, Hashable, Comparable {
    /// Microseconds since 1970-01-01 00:00 UTC; negative before it.
    public let microseconds: Int64

    /// Makes the instant `microseconds` after 1970-01-01 00:00 UTC.
    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// Whole seconds since 1970-01-01 00:00 UTC, rounded towards the past.
    public var seconds: Int64 { Int64.floorDivide(microseconds, 1_000_000) }

    /// The UTC day that holds this instant.
    public var day: CalendarDay {
        CalendarDay(rawValue: Int32(clamping: Int64.floorDivide(microseconds, 86_400_000_000)))
    }

    /// The earlier comes first.
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.microseconds < right.microseconds
    }

    /// The instant `duration` later.
    public static func + (instant: Timestamp, duration: Duration) -> Timestamp {
        Timestamp(microseconds: instant.microseconds &+ duration.microseconds)
    }

    /// The time from `right` to `left`; negative when `left` is the earlier one.
    public static func - (left: Timestamp, right: Timestamp) -> Duration {
        .microseconds(left.microseconds &- right.microseconds)
    }
}

extension Int64 {
    /// Divides towards minus infinity, so that instants before 1970 fall into the right day.
    static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

extension Duration {
    /// Whole microseconds, rounded towards zero; saturates at the ends of `Int64`.
    public var microseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, overflow2) = product.addingReportingOverflow(attoseconds / 1_000_000_000_000)
        return overflow2 ? (seconds < 0 ? .min : .max) : sum
    }

    /// Whole milliseconds, rounded up: a wait told to a client is never shorter than the real one.
    public var millisecondsRoundedUp: Int64 {
        let micros = microseconds
        return micros <= 0 ? 0 : (micros - 1) / 1000 + 1
    }
}
