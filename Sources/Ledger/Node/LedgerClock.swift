import Domain
import Synchronization

/// The ledger's time as this node knows it: its own monotonic clock and an offset that every
/// heartbeat renews.
///
/// Periods and days depend on it, and not on the host's wall clock, which may be wrong by a day.
final class LedgerClock: Sendable {
    private let time: any TimeSource
    private let offset: Atomic<Int64>

    /// Starts from the host's wall clock, until the first answer of the ledger corrects it.
    init(_ time: any TimeSource) {
        self.time = time
        offset = Atomic(time.wall.microseconds - time.uptime.microseconds)
    }

    /// The ledger's time now, within half a round trip of the last heartbeat.
    var now: Timestamp {
        Timestamp(microseconds: time.uptime.microseconds + offset.load(ordering: .relaxed))
    }

    /// The node's own clock.
    var uptime: Uptime { time.uptime }

    /// The ledger said that it was `ledger` at some moment between `sent` and `received`.
    func observe(_ ledger: Timestamp, sent: Uptime, received: Uptime) {
        let middle = sent.microseconds + (received.microseconds - sent.microseconds) / 2
        offset.store(ledger.microseconds - middle, ordering: .relaxed)
    }
}
