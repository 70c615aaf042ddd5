/// A moment of a clock that never goes back, in nanoseconds since an arbitrary start.
struct MonotonicInstant: Comparable, Sendable {
    /// Nanoseconds since the clock's start.
    var nanoseconds: Int64

    /// The moment after every other: a deadline that never comes.
    static let distantFuture = MonotonicInstant(nanoseconds: .max)

    static func < (left: MonotonicInstant, right: MonotonicInstant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The moment that much later; the distant future if it cannot be told.
    func advanced(byNanoseconds distance: Int64) -> MonotonicInstant {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(distance)
        return overflow ? .distantFuture : MonotonicInstant(nanoseconds: sum)
    }

    /// Whole milliseconds until `later`, rounded up so that waiting that long reaches it, and
    /// never below zero nor above `limit`.
    func milliseconds(until later: MonotonicInstant, atMost limit: Int32) -> Int32 {
        guard later > self else { return 0 }
        let (distance, overflow) = later.nanoseconds.subtractingReportingOverflow(nanoseconds)
        guard !overflow else { return limit }
        return Int32(clamping: min(Int64(limit), (distance - 1) / 1_000_000 + 1))
    }
}

extension Duration {
    /// The length in nanoseconds; not below zero, and the largest number if it does not fit.
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return .max }
        let (sum, carry) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        return carry ? .max : sum
    }
}
