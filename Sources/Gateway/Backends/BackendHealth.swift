import Domain
import Synchronization

/// What this gateway has seen of a backend lately: whether it may be called, and how many retries
/// its failures may cost. Decides under its lock; nothing is done there.
final class BackendHealth: Sendable {
    private struct State {
        var breaker: CircuitBreaker
        var budget: RetryBudget
    }

    private let state: Mutex<State>

    /// Nothing is seen yet: it may be called.
    init(_ policy: RoutingPolicy) {
        state = Mutex(
            State(
                breaker: CircuitBreaker(policy.breaker), budget: RetryBudget(policy.budget)))
    }

    /// How long it is to be left alone; nil when it may be called. The clock is looked at only
    /// where something was wrong.
    func refusal(_ time: any TimeSource) -> Duration? {
        state.withLock { state in
            if state.breaker.isClear { return nil }
            let now = time.uptime
            return state.breaker.refusal(at: now).map { $0 - now }
        }
    }

    /// Lets a call through, or not. The outcome of one that is let through is to be told to
    /// ``end(_:as:at:)``, whatever it is. A first call earns a part of a retry.
    func begin(isRetry: Bool, at now: Uptime) -> CircuitBreaker.Permit? {
        state.withLock { state in
            guard case .allow(let permit) = state.breaker.decide(at: now) else { return nil }
            if !isRetry { state.budget.earn(at: now) }
            return permit
        }
    }

    /// Takes the outcome of a call.
    func end(_ permit: CircuitBreaker.Permit, as outcome: CircuitBreaker.Outcome, at now: Uptime) {
        state.withLock { $0.breaker.record(outcome, of: permit, at: now) }
    }

    /// Takes an answer that broke off after it had begun.
    func breakOff(at now: Uptime) { state.withLock { $0.breaker.recordBreak(at: now) } }

    /// Whether a request that failed here may be tried again, here or elsewhere; takes the retry
    /// out of the budget.
    func spendRetry(at now: Uptime) -> Bool { state.withLock { $0.budget.spend(at: now) } }
}

extension BackendFailure {
    /// Refused by us, since the backend is to be left alone: nothing was sent.
    static func leftAlone(for wait: Duration?) -> BackendFailure {
        BackendFailure(kind: .rateLimited(retryAfter: wait), detail: "the breaker is open")
    }

    /// What it says of the backend. What is the client's mistake says that the backend works.
    var health: CircuitBreaker.Outcome {
        if isOfCredential { return status == nil ? .nothing : .success }
        return switch kind {
        case .unreachable, .timedOut, .malformed, .rateLimited(retryAfter: nil): .failure
        case .rateLimited(let wait?): .rest(wait)
        case .contextExceeded, .invalidRequest: .success
        // One that loads, or has no room, says so itself, as long as it does.
        case .notReady, .busy, .cancelled: .nothing
        }
    }

    /// The same for the ledger.
    var outcome: Attempt.Outcome {
        switch kind {
        case .unreachable: .unreachable
        case .timedOut: .timedOut
        case .notReady: .notReady
        case .rateLimited: .rateLimited
        case .busy: .busy
        case .contextExceeded: .contextExceeded
        case .invalidRequest: .invalidRequest
        case .malformed: .malformed
        case .cancelled: .cancelled
        }
    }
}
