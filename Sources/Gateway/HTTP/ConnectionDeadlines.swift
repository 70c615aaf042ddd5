import Domain

/// The times by which something must happen on a connection, and what when it has not. Pure.
struct ConnectionDeadlines: Sendable {
    /// What is due.
    enum Due: Sendable, Equatable {
        /// A head or a body took too long.
        case requestTimeout
        /// The client does not read, was silent too long between requests, or does not close:
        /// close.
        case stalled, idle, linger
        /// A stream was silent: send a comment.
        case ping
    }

    /// A head has begun and is not complete.
    var head: Uptime?
    /// A body has begun and is not complete.
    var body: Uptime?
    /// Nothing is asked and nothing is answered.
    var idle: Uptime?
    /// The client does not read.
    var stall: Uptime?
    /// A stream is silent.
    var ping: Uptime?
    /// The connection is closed on our side.
    var linger: Uptime?

    /// The earliest deadline; nil when nothing is awaited.
    var earliest: Uptime? {
        var earliest: Uptime?
        for deadline in [head, body, idle, stall, ping, linger] {
            guard let deadline else { continue }
            earliest = min(earliest ?? deadline, deadline)
        }
        return earliest
    }

    /// What is due at `now`, the weightiest first.
    func due(at now: Uptime) -> Due? {
        func isOver(_ deadline: Uptime?) -> Bool { deadline.map { $0 <= now } ?? false }
        if isOver(linger) { return .linger }
        if isOver(stall) { return .stalled }
        if isOver(head) || isOver(body) { return .requestTimeout }
        if isOver(idle) { return .idle }
        return isOver(ping) ? .ping : nil
    }

    /// When a body that began at `start` is too late, having brought `bytes` so far.
    static func body(start: Uptime, bytes: Int, limits: ConnectionLimits) -> Uptime {
        let earned = Duration.microseconds(
            Int64(bytes) * 1_000_000 / Int64(max(1, limits.bodyBytesPerSecond)))
        return min(start + limits.bodyTime, start + limits.bodyGrace + earned)
    }
}
