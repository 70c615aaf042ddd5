import Synchronization

/// Says once that a stream is to come: when the ledger has accepted its request (gate G1) and a
/// backend works on it. Until then a failure is a proper status, and who waits in a queue may be
/// told when to come back.
final class StreamAnnouncement: Sendable {
    private struct State {
        var isAccepted = false
        var isSent = false
        var isDue: Bool { isAccepted && isSent }
    }

    private let state = Mutex(State())
    private let announce: @Sendable () -> Void

    /// Makes one that calls `announce`.
    init(_ announce: @escaping @Sendable () -> Void) { self.announce = announce }

    /// Notes that the ledger has accepted the request.
    func noteAcceptance() { note { $0.isAccepted = true } }

    /// Notes that a backend works on it.
    func noteSending() { note { $0.isSent = true } }

    private func note(_ change: (inout State) -> Void) {
        let isNow = state.withLock { state in
            let wasDue = state.isDue
            change(&state)
            return state.isDue && !wasDue
        }
        if isNow { announce() }
    }
}
