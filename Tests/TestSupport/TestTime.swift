import Domain
import Glibc
import Synchronization

/// Time that moves only when a test moves it.
public final class TestTime: TimeSource {
    private let elapsed = Atomic<Int64>(0)
    private let origin: Timestamp

    /// Starts at noon of 2026-11-21 UTC, or where a test says.
    public init(origin: Timestamp = Timestamp(microseconds: 1_795_262_400_000_000)) {
        self.origin = origin
    }

    /// See `TimeSource`.
    public var wall: Timestamp { origin + .microseconds(elapsed.load(ordering: .relaxed)) }
    /// See `TimeSource`.
    public var uptime: Uptime {
        Uptime(microseconds: 1_000_000_000 + elapsed.load(ordering: .relaxed))
    }

    /// Lets time pass.
    public func advance(by duration: Duration) {
        elapsed.add(duration.microseconds, ordering: .relaxed)
    }
}

/// The machine's own clocks, for tests with real processes.
public struct SystemTime: TimeSource {
    /// Makes a source.
    public init() {}

    /// See `TimeSource`.
    public var wall: Timestamp { reading(CLOCK_REALTIME) }
    /// See `TimeSource`.
    public var uptime: Uptime { Uptime(microseconds: reading(CLOCK_BOOTTIME).microseconds) }

    private func reading(_ clock: clockid_t) -> Timestamp {
        var time = timespec()
        clock_gettime(clock, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }
}
