import Domain
import Synchronization

/// The ledger's time as this node knows it: its own monotonic clock and an offset that every
/// heartbeat renews.
///
/// Periods and days depend on it, and not on the host's wall clock, which may be wrong by a day.
final class LedgerClock: Sendable {
    private let time: any TimeSource
    private let sleep: @Sendable (Duration) async -> Void
    private let offset: Atomic<Int64>

    /// Starts from the host's wall clock, until the first answer of the ledger corrects it.
    /// `sleep` waits for a duration, or until its task is cancelled; the machine's own sleep unless
    /// a simulation passes another.
    init(
        _ time: any TimeSource,
        sleep: @escaping @Sendable (Duration) async -> Void = LedgerClock.sleepUntilCancelled
    ) {
        self.time = time
        self.sleep = sleep
        offset = Atomic(time.wall.microseconds - time.uptime.microseconds)
    }

    /// The ledger's time now, within half a round trip of the last heartbeat.
    var now: Timestamp {
        Timestamp(microseconds: time.uptime.microseconds + offset.load(ordering: .relaxed))
    }

    /// The node's own clock.
    var uptime: Uptime { time.uptime }

    /// Waits for `duration`; returns at once in a cancelled task.
    func wait(_ duration: Duration) async { await sleep(duration) }

    /// The machine's own sleep.
    static func sleepUntilCancelled(_ duration: Duration) async {
        // Cancelled when the node has drained or is forced to stop: the waiter looks for itself.
        try? await Task.sleep(for: duration)
    }

    /// The ledger said that it was `ledger` at some moment between `sent` and `received`.
    func observe(_ ledger: Timestamp, sent: Uptime, received: Uptime) {
        let middle = sent.microseconds + (received.microseconds - sent.microseconds) / 2
        offset.store(ledger.microseconds - middle, ordering: .relaxed)
    }
}
