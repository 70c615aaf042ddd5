import Domain
import Foundation

/// The real clocks, wired here and passed to everything else.
struct SystemTime: TimeSource {
    // On Linux this clock is CLOCK_BOOTTIME, which goes on while the machine is suspended.
    private let clock = ContinuousClock()
    private let origin = ContinuousClock().now

    var wall: Timestamp {
        Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000))
    }

    var uptime: Uptime { Uptime(microseconds: (clock.now - origin).microseconds) }
}
