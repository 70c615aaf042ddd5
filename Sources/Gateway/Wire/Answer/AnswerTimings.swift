import Domain

/// When an answer came, measured at the gateway.
struct AnswerTimings: Sendable, Equatable {
    /// How long the request waited for room at its backend.
    var queue: Duration
    /// From admission to the first text; nil when there was none, and where nobody knows.
    var firstToken: Duration?
    /// From admission to the end.
    var total: Duration

    /// Timings that were measured by whoever is asked for them.
    init(queue: Duration, firstToken: Duration?, total: Duration) {
        self.queue = queue
        self.firstToken = firstToken
        self.total = total
    }

    /// The timings of a request that is settled. Of an answer that came in one piece nobody knows
    /// when its first token was there: it came with the last.
    init(_ settlement: Settlement, queue: Duration, cameAtOnce: Bool) {
        self.init(
            queue: queue, firstToken: cameAtOnce ? nil : settlement.timeToFirstToken,
            total: settlement.duration)
    }

    /// How long the backend worked.
    var execution: Duration { max(.zero, total - queue) }

    /// So many tokens per second of all of it; 0 where it took no time.
    func rate(of tokens: Int64) -> Double {
        total > .zero ? Double(tokens) / total.inSeconds : 0
    }

    /// Tokens per second after the first one; 0 where there is no second one. Where nobody knows when
    /// the first one was there, the rate of all of them is as near as can be told.
    func throughput(completion: Int64) -> Double {
        guard completion > 1 else { return 0 }
        guard let firstToken else {
            let seconds = execution.inSeconds
            return seconds > 0 ? Double(completion) / seconds : 0
        }
        let seconds = (total - firstToken).inSeconds
        return seconds > 0 ? Double(completion - 1) / seconds : 0
    }
}

extension Duration {
    /// The same in seconds, to the microsecond.
    var inSeconds: Double { Double(microseconds) / 1_000_000 }
}
