import Domain
import Synchronization

/// The engine's slots: an ``EngineSlotQueue`` with the tasks that wait in it.
final class EngineSlots: Sendable {
    fileprivate struct State {
        var queue: EngineSlotQueue
        var waiters: [EngineSlotQueue.Ticket: CheckedContinuation<Outcome, Never>] = [:]
        /// Who was told before it had begun to wait: its task was cancelled that early.
        var early: [EngineSlotQueue.Ticket: Outcome] = [:]
    }

    fileprivate enum Outcome { case granted, expired, left, dismissed }

    private let state: Mutex<State>
    private let time: any TimeSource

    /// Slots with nobody in them.
    init(slots: Int, maximumWaiting: Int, patience: Duration, time: any TimeSource) {
        state = Mutex(
            State(
                queue: EngineSlotQueue(
                    slots: slots, maximumWaiting: maximumWaiting, patience: patience)))
        self.time = time
    }

    /// Whether a caller that asks now would be turned away.
    var isFull: Bool { state.withLock { $0.queue.isFull } }

    /// How many callers wait.
    var waitingCount: Int { state.withLock { $0.queue.waitingCount } }

    /// How many callers have a slot.
    var slotsInUse: Int { state.withLock { $0.queue.slotsInUse } }

    /// Waits for a slot in the order of asking. Throws `notReady` if too many wait already, if none
    /// came free in time or if the engine went away, and `cancelled` if the task was cancelled.
    func acquire() async throws(BackendFailure) -> EngineSlotLease {
        let now = time.uptime
        switch state.withLock({ $0.queue.slotWasRequested(at: now) }) {
        case .granted(let ticket): return lease(ticket, waited: .zero)
        case .full: throw Self.busy("the engine's queue is full")
        case .queued(let ticket, let deadline):
            switch await wait(for: ticket, atMost: deadline - now) {
            case .granted:
                let lease = lease(ticket, waited: time.uptime - now)
                // Granted while the client left: the lease gives the slot back when it is dropped.
                if Task.isCancelled { throw BackendFailure(kind: .cancelled, detail: "") }
                return lease
            case .expired: throw Self.busy("no slot of the engine came free in time")
            case .dismissed: throw Self.busy("the engine went away while the call waited")
            case .left: throw BackendFailure(kind: .cancelled, detail: "")
            }
        }
    }

    /// Takes a slot if one is free, and nil otherwise: nobody who waits is overtaken, since a free
    /// slot means that nobody does.
    func acquireIfFree() -> EngineSlotLease? {
        let now = time.uptime
        let ticket: EngineSlotQueue.Ticket? = state.withLock { state in
            guard state.queue.hasFreeSlot,
                case .granted(let ticket) = state.queue.slotWasRequested(at: now)
            else { return nil }
            return ticket
        }
        return ticket.map { lease($0, waited: .zero) }
    }

    /// Sends everybody away who waits, because the engine is gone. Who has a slot keeps it until
    /// its connection breaks.
    func dismissWaiters() {
        for continuation in state.withLock({ state in
            state.queue.waitersWereDismissed().compactMap { state.resolve($0, .dismissed) }
        }) { continuation.resume(returning: .dismissed) }
    }

    // MARK: Waiting

    private func wait(
        for ticket: EngineSlotQueue.Ticket, atMost patience: Duration
    ) async -> Outcome {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                // Cancelled once the wait is over.
                guard (try? await Task.sleep(for: patience)) != nil else { return }
                self.stopWaiting(ticket, .expired)
            }
            let outcome = await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let early = state.withLock { state in
                        let early = state.early.removeValue(forKey: ticket)
                        if early == nil { state.waiters[ticket] = continuation }
                        return early
                    }
                    if let early { continuation.resume(returning: early) }
                }
            } onCancel: {
                stopWaiting(ticket, .left)
            }
            group.cancelAll()
            return outcome
        }
    }

    private func stopWaiting(_ ticket: EngineSlotQueue.Ticket, _ outcome: Outcome) {
        let continuation = state.withLock { state in
            state.queue.waiterLeft(ticket) ? state.resolve(ticket, outcome) : nil
        }
        continuation?.resume(returning: outcome)
    }

    private func lease(
        _ ticket: EngineSlotQueue.Ticket, waited: Duration
    ) -> EngineSlotLease {
        EngineSlotLease(waited: waited) { [self] in
            let continuation = state.withLock { state in
                state.queue.slotWasReleased(ticket).flatMap { state.resolve($0, .granted) }
            }
            continuation?.resume(returning: .granted)
        }
    }

    private static func busy(_ detail: String) -> BackendFailure {
        BackendFailure(kind: .notReady(retryAfter: .seconds(1)), detail: detail)
    }
}

extension EngineSlots.State {
    /// Takes the task that waits with `ticket`, to be resumed after the lock; if it has not come to
    /// wait yet, leaves it the outcome.
    fileprivate mutating func resolve(
        _ ticket: EngineSlotQueue.Ticket, _ outcome: EngineSlots.Outcome
    ) -> CheckedContinuation<EngineSlots.Outcome, Never>? {
        if let continuation = waiters.removeValue(forKey: ticket) { return continuation }
        early[ticket] = outcome
        return nil
    }
}
