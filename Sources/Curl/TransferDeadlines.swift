/// Which of a transfer's time limits counts now, and whether it has passed. Pure: the caller
/// supplies the time.
///
/// A byte that arrives only moves the idle deadline later, so a caller may remember `next` and need
/// not ask again before that moment, except after the head was completed and after `resumed`.
struct TransferDeadlines: Equatable {
    private let total: MonotonicInstant
    private let idleNanoseconds: Int64
    private var waiting: Waiting

    private enum Waiting: Equatable {
        case head(until: MonotonicInstant)
        case bytes(until: MonotonicInstant)
        /// The consumer holds the transfer back; the upstream cannot be blamed for silence.
        case consumer
    }

    init(
        startedAt now: MonotonicInstant, firstByteTimeout: Duration, idleTimeout: Duration,
        totalTimeout: Duration
    ) {
        total = now.advanced(byNanoseconds: totalTimeout.wholeNanoseconds)
        idleNanoseconds = idleTimeout.wholeNanoseconds
        waiting = .head(until: now.advanced(byNanoseconds: firstByteTimeout.wholeNanoseconds))
    }

    /// The earliest moment at which `passed` can be anything but nil.
    var next: MonotonicInstant {
        switch waiting {
        case .head(let until), .bytes(let until): min(until, total)
        case .consumer: total
        }
    }

    /// The limit that has been passed by `now`, if any.
    func passed(at now: MonotonicInstant) -> CurlFailure.Phase? {
        switch waiting {
        case .head(let until) where until <= now && until <= total: .firstByteTimeout
        case .bytes(let until) where until <= now && until <= total: .idleTimeout
        default: total <= now ? .totalTimeout : nil
        }
    }

    /// The response head was completed, or body bytes arrived.
    mutating func progressed(at now: MonotonicInstant) {
        waiting = .bytes(until: now.advanced(byNanoseconds: idleNanoseconds))
    }

    /// The transfer was paused because the consumer is slow.
    mutating func paused() { waiting = .consumer }

    /// The paused transfer was set going again.
    mutating func resumed(at now: MonotonicInstant) { progressed(at: now) }
}
