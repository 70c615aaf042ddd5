import Glibc

/// An instant of the machine's monotonic clock after which a wait is given up.
///
/// Reads the clock itself instead of taking the time as an argument: it exists to give `poll` its
/// timeout, and the kernel measures that by the same clock. No decision depends on it but giving
/// up.
struct Deadline: Sendable, Comparable {
    private let nanoseconds: Int64

    /// The instant `duration` from now. A negative duration has passed already; one of more than a
    /// century counts as a century.
    init(after duration: Duration) {
        let bounded = min(max(duration, .zero), .seconds(3_155_760_000))
        let (seconds, attoseconds) = bounded.components
        nanoseconds =
            Self.monotonicNanoseconds + seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }

    /// Milliseconds left, rounded up so that a wait never ends just before its deadline; 0 once
    /// passed.
    var millisecondsLeft: Int32 {
        let left = nanoseconds - Self.monotonicNanoseconds
        return left <= 0 ? 0 : Int32(clamping: (left + 999_999) / 1_000_000)
    }

    /// Whether the instant has come.
    var hasPassed: Bool { Self.monotonicNanoseconds >= nanoseconds }

    /// The instant for `pthread_cond_timedwait` on a condition of the monotonic clock.
    var timespec: timespec {
        Glibc.timespec(
            tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    }

    static func < (left: Deadline, right: Deadline) -> Bool { left.nanoseconds < right.nanoseconds }

    private static var monotonicNanoseconds: Int64 {
        var time = Glibc.timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

extension Duration {
    /// Whole milliseconds, rounded up, so that a limit of less than one does not become "no limit";
    /// 0 for a negative duration. More than a century counts as a century.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = min(max(self, .zero), .seconds(3_155_760_000)).components
        return seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    }
}
