import Domain

/// An attempt that gave the client nothing.
struct FailedAttempt: Sendable {
    let candidate: Candidate
    let failure: BackendFailure
    let startedAt: Uptime
    /// What it is known to have used: of an answer that broke off. Nil where nothing is known.
    let usage: TokenUsage?
}

extension CompletionPipeline {
    /// Tries a request again after an attempt that gave its client nothing, for as long as there is
    /// a backend to try, time, and budget: at the next backend at once, or after a wait at the one
    /// that failed.
    ///
    /// The ledger has accepted the request by then. Every attempt that failed is noted for its
    /// record.
    func retry(
        _ admitted: borrowing AdmittedRequest, after first: FailedAttempt
    ) async -> ForwardedAnswer {
        let (resolved, admittedAt) = (admitted.resolved, admitted.admittedAt)
        let (exchange, policy) = (resolved.exchange, routing.policy)
        var failed = first
        while true {
            let stop = Self.stop(of: failed.failure, exchange.presence)
            let now = time.uptime
            let isFirst = exchange.notes.content.attempts.isEmpty
            // Nobody failed when a client left its only attempt.
            if case .departed = stop, isFirst { return .stopped(stop) }
            let attempts = note(failed, admittedAt, until: now, in: exchange)
            guard case .backend = stop, attempts.count < policy.attempts, !resolved.isCopy,
                let next = candidate(of: resolved, after: attempts, failed.candidate)
            else { return .stopped(stop) }
            let repeats = attempts.count { $0.backend == next.name }
            let wait =
                repeats == 0
                ? .zero : policy.wait(beforeRetry: repeats, random: routing.random())
            // A retry that could not end in time would only be work for nobody.
            if let deadline = policy.deadline, now - admittedAt + wait >= deadline {
                return .stopped(stop)
            }
            guard failed.candidate.health.spendRetry(at: now) else { return .stopped(stop) }
            if wait > .zero {
                await routing.pause(wait)
                if Task.isCancelled || exchange.presence.departure != nil {
                    return .stopped(Self.stop(of: failed.failure, exchange.presence))
                }
            }
            Failpoint.pass("retry")
            let startedAt = time.uptime
            switch await opened(
                resolved, at: next, into: AnswerSlot(), admittedAt: admittedAt,
                startedAt: startedAt, isRetry: true)
            {
            case .success(let begun):
                exchange.notes.update { notes in
                    notes.backend = begun.candidate.name
                    notes.answering = .init(begun, since: admittedAt)
                }
                return .begun(begun)
            case .failure(let failure):
                failed = FailedAttempt(
                    candidate: next, failure: failure, startedAt: startedAt, usage: nil)
            }
        }
    }

    /// Where to try next: the first backend that was not tried and takes requests, or the one that
    /// has just failed if that may help.
    private func candidate(
        of resolved: ResolvedRequest, after attempts: [Attempt], _ last: Candidate
    ) -> Candidate? {
        guard let retry = attempts.last?.retry, retry != .nowhere else { return nil }
        func takes(_ candidate: Candidate) -> Bool {
            candidate.backend.unavailability == nil && candidate.health.refusal(time) == nil
        }
        let untried = resolved.others.first { other in
            takes(other) && !attempts.contains { $0.backend == other.name }
        }
        if let untried { return untried }
        return retry == .anywhere && takes(last) ? last : nil
    }

    private func note(
        _ failed: FailedAttempt, _ admittedAt: Uptime, until now: Uptime, in exchange: Exchange
    ) -> [Attempt] {
        let attempt = Attempt(
            backend: failed.candidate.name, outcome: failed.failure.outcome,
            status: failed.failure.status.map(Int16.init(clamping:)),
            begunAfter: failed.startedAt - admittedAt, duration: now - failed.startedAt,
            usage: failed.usage)
        exchange.notes.update { $0.fail(attempt) }
        return exchange.notes.content.attempts
    }
}
