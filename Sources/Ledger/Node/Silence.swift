import Domain

/// What a node knows of the ledger's silence: whether it must be taken for away, and until when the
/// node may go on without it. Pure.
struct Silence {
    /// Since when attempts have failed; nil while the ledger answers.
    private var since: Uptime?
    /// When the batch that is in flight was sent.
    private var sentAt: Uptime?
    /// When the last answer came.
    private var lastAnswer = Uptime(microseconds: 0)
    /// When what the ledger last answered was sent: it knew this node alive then, or later.
    private var lastKnown = Uptime(microseconds: .min / 2)

    /// An attempt failed.
    mutating func failed(at now: Uptime) { if since == nil { since = now } }

    /// A batch goes out.
    mutating func sent(at now: Uptime) { if sentAt == nil { sentAt = now } }

    /// The ledger answered something that was sent at `sent`.
    mutating func answered(at now: Uptime, sent: Uptime) {
        lastAnswer = now
        lastKnown = max(lastKnown, sent)
        if sentAt == nil { since = nil }
    }

    /// The ledger answered the batch in flight, or fenced its lane.
    mutating func batchAnswered(at now: Uptime) {
        let sent = sentAt ?? now
        sentAt = nil
        since = nil
        answered(at: now, sent: sent)
    }

    /// Whether the ledger may be away, so that who can do without it should: an attempt failed, a
    /// batch has had no answer for `patience`, or nothing has for `beats`.
    func isAway(at now: Uptime, patience: Duration, beats: Duration) -> Bool {
        if since != nil { return true }
        if let sentAt, now - sentAt > patience { return true }
        return now - lastAnswer > beats
    }

    /// Whether attempts have failed for `patience`.
    func hasFailed(at now: Uptime, for patience: Duration) -> Bool {
        since.map { now - $0 > patience } ?? false
    }

    /// Whether there is no use in waiting for it: attempts have failed for `patience`, or nothing was
    /// answered for `beats`. Before that it may only be slow, or one connection was cut.
    func isGone(at now: Uptime, patience: Duration, beats: Duration) -> Bool {
        if hasFailed(at: now, for: patience) { return true }
        if let sentAt, now - sentAt > beats { return true }
        return now - lastAnswer > beats
    }

    /// Whether the node may go on without the ledger: not longer than `rideFor` after it was last
    /// known alive there. The clock must count the time that a machine sleeps.
    func mayRide(at now: Uptime, for rideFor: Duration) -> Bool { now - lastKnown < rideFor }
}
