import Domain
import Synchronization

/// Where checks of personal data run: off the connections' threads, and no more at once than
/// ``CheckTurns`` allows.
final class CheckRoom: Sendable {
    /// Why a check was not made.
    enum Fault: Error {
        /// Too much waits.
        case full
        /// Its task was cancelled while it waited.
        case cancelled
    }

    private struct State {
        var turns: CheckTurns
        var waiters: [CheckTurns.Ticket: CheckedContinuation<Bool, Never>] = [:]
        /// Turns whose waiters do not wait yet.
        var given: Set<CheckTurns.Ticket> = []
        var tickets: CheckTurns.Ticket = 0
    }

    private let state: Mutex<State>

    /// An empty room.
    init(_ limits: CheckLimits, processors: Int) {
        state = Mutex(State(turns: CheckTurns(limits, processors: processors)))
    }

    /// Runs `body`, a check of so many bytes of a key, once it is its turn. Throws ``Fault``, and
    /// what `body` throws.
    func run<Value: Sendable>(
        of key: KeyID, bytes: Int, _ body: @Sendable () async throws -> Value
    ) async throws -> Value {
        try await enter(key, bytes)
        defer { leave() }
        return try await withTaskExecutorPreference(globalConcurrentExecutor) { try await body() }
    }

    private func enter(_ key: KeyID, _ bytes: Int) async throws(Fault) {
        let (ticket, decision) = state.withLock { state in
            state.tickets += 1
            return (state.tickets, state.turns.enter(state.tickets, of: key, bytes: bytes))
        }
        switch decision {
        case .runs: return
        case .refused: throw .full
        case .waits: break
        }
        let hasTurn = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                settle(ticket, of: key, continuation)
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.turns.cancel(ticket, of: key)
                    ? state.waiters.removeValue(forKey: ticket) : nil
            }
            waiter?.resume(returning: false)
        }
        guard hasTurn else { throw .cancelled }
    }

    /// Lets a waiter wait; its turn, or its cancelling, may have come before it does.
    private func settle(
        _ ticket: CheckTurns.Ticket, of key: KeyID, _ waiter: CheckedContinuation<Bool, Never>
    ) {
        let known: Bool? = state.withLock { state in
            if state.turns.isWaiting(ticket, of: key) {
                state.waiters[ticket] = waiter
                return nil
            }
            return state.given.remove(ticket) != nil
        }
        if let known { waiter.resume(returning: known) }
    }

    private func leave() {
        let waiter = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard let next = state.turns.leave() else { return nil }
            if let waiter = state.waiters.removeValue(forKey: next) { return waiter }
            state.given.insert(next)
            return nil
        }
        waiter?.resume(returning: true)
    }
}
