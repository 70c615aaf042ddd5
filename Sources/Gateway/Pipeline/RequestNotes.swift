import Domain
import Synchronization

/// What is learnt about a request on its way, for its line in the access log and its record. Counts and names
/// only, never text.
final class RequestNotes: Sendable {
    /// What is known so far.
    struct Content: Sendable {
        var principal: Principal?
        var model: String?
        /// Who answered, or failed last.
        var backend: String?
        /// Every attempt that failed, in order.
        var attempts: [Attempt] = []
        /// The attempt that answers, where others failed before it.
        var answering: Answering?
        /// Whether a check of what goes in kept it from every backend.
        var isBlocked = false
        /// The bound on completion tokens that its own was made smaller to, if it was.
        var clampedBound: Int64?
        /// The copy that was made of it.
        var shadow: RequestID?
        var settlement: Settlement?
        /// The inside text of a failure: for the log only.
        var failure: String?

        /// How many calls were made for it.
        var attemptCount: Int {
            if isBlocked { return 0 }
            return attempts.count + (attempts.isEmpty || answering != nil ? 1 : 0)
        }

        /// Notes an attempt that failed.
        mutating func fail(_ attempt: Attempt) {
            attempts.append(attempt)
            answering = nil
            backend = attempt.backend
        }

        /// Every attempt of a request that ended, as its record has them: none where the first
        /// one answered. The last is the one that answered, if one did.
        func attempts(of settlement: Settlement) -> [Attempt] {
            guard let answering, !attempts.isEmpty else { return attempts }
            let outcome: Attempt.Outcome =
                switch settlement.endState {
                case .finished, .cutAtBound: .answered
                case .backendFailed: .brokeOff
                case .clientGone, .failedBeforeFirstByte, .revoked, .drained, .nodeLost: .cancelled
                }
            return attempts + [
                Attempt(
                    backend: answering.backend, outcome: outcome, status: nil,
                    begunAfter: answering.begunAfter,
                    duration: settlement.duration - answering.begunAfter, usage: nil)
            ]
        }
    }

    /// An attempt that has begun to answer.
    struct Answering: Sendable {
        let backend: String
        /// From admission to its call.
        let begunAfter: Duration

        /// Notes an answer.
        init(_ begun: BegunAnswer, since admittedAt: Uptime) {
            backend = begun.candidate.name
            begunAfter = begun.startedAt - admittedAt
        }
    }

    private let state = Mutex(Content())

    /// What is known now.
    var content: Content { state.withLock { $0 } }

    /// Adds to what is known.
    func update(_ change: (inout Content) -> Void) { state.withLock { change(&$0) } }
}
