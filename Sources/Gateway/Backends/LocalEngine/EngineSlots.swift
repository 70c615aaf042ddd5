import Domain
import Synchronization

/// The engine's slots: an ``EngineSlotQueue`` with the tasks that wait in it.
final class EngineSlots: Sendable {
    private typealias Waits = TicketWaits<EngineSlotQueue.Ticket, Outcome>

    private struct State {
        var queue: EngineSlotQueue
        var waits = Waits()
    }

    private enum Outcome { case granted, expired, displaced, left, dismissed }

    private let state: Mutex<State>
    private let shares: EngineShares
    private let time: any TimeSource

    /// Slots with nobody in them, divided by `shares`.
    init(slots: Int, maximumWaiting: Int, shares: EngineShares, time: any TimeSource) {
        state = Mutex(State(queue: EngineSlotQueue(slots: slots, maximumWaiting: maximumWaiting)))
        self.shares = shares
        self.time = time
    }

    /// How many callers wait.
    var waitingCount: Int { state.withLock { $0.queue.waitingCount } }

    /// How many callers have a slot.
    var slotsInUse: Int { state.withLock { $0.queue.slotsInUse } }

    /// Waits for a slot until `deadline`, fairly between teams. The lease counts the wait from
    /// `begin`. Throws `busy` if too many wait already or none came free in time, `notReady` if the
    /// engine went away, and `cancelled` if the task was cancelled.
    func acquire(
        for team: BackendCall.Team, since begin: Uptime, until deadline: Uptime
    ) async throws(BackendFailure) -> EngineSlotLease {
        switch request(for: team) {
        case .granted(let ticket): return lease(ticket, waited: time.uptime - begin)
        case .full: throw busy("the engine's queue is full")
        case .queued(let ticket, _):
            switch await wait(for: ticket, atMost: deadline - time.uptime) {
            case .granted:
                let lease = lease(ticket, waited: time.uptime - begin)
                // Granted while the client left: the lease gives the slot back when it is dropped.
                if Task.isCancelled { throw BackendFailure(kind: .cancelled, detail: "") }
                return lease
            case .expired: throw busy("no slot of the engine came free in time")
            case .displaced: throw busy("the team's calls crowd the engine's queue")
            case .dismissed:
                throw BackendFailure(
                    kind: .notReady(retryAfter: .seconds(1)),
                    detail: "the engine went away while the call waited")
            case .left: throw BackendFailure(kind: .cancelled, detail: "")
            }
        }
    }

    /// Takes a slot if one is free, and nil otherwise: nobody who waits is overtaken, since a free
    /// slot means that nobody does.
    func acquireIfFree(for team: BackendCall.Team) -> EngineSlotLease? {
        let (now, weight) = (time.uptime, shares.weight(of: team))
        let ticket: EngineSlotQueue.Ticket? = state.withLock { state in
            guard state.queue.hasFreeSlot,
                case .granted(let ticket) = state.queue.slotWasRequested(
                    by: team.id, weight: weight, at: now)
            else { return nil }
            return ticket
        }
        return ticket.map { lease($0, waited: .zero) }
    }

    /// Sends everybody away who waits, because the engine is gone. Who has a slot keeps it until
    /// its connection breaks.
    func dismissWaiters() {
        for continuation in state.withLock({ state in
            state.queue.waitersWereDismissed().compactMap { state.waits.resolve($0, .dismissed) }
        }) { continuation.resume(returning: .dismissed) }
    }

    // MARK: Waiting

    private func request(for team: BackendCall.Team) -> EngineSlotQueue.Answer {
        let (now, weight) = (time.uptime, shares.weight(of: team))
        let (answer, displaced) = state.withLock { state in
            let answer = state.queue.slotWasRequested(by: team.id, weight: weight, at: now)
            guard case .queued(_, let displaced?) = answer else {
                return (answer, Waits.Waiter?.none)
            }
            return (answer, state.waits.resolve(displaced, .displaced))
        }
        displaced?.resume(returning: .displaced)
        return answer
    }

    private func wait(
        for ticket: EngineSlotQueue.Ticket, atMost patience: Duration
    ) async -> Outcome {
        await Waits.outcome(atMost: patience) { waiter in
            state.withLock { $0.waits.enter(ticket, waiter) }
        } leave: { [self] leaving in
            stopWaiting(ticket, leaving == .expired ? .expired : .left)
        }
    }

    private func stopWaiting(_ ticket: EngineSlotQueue.Ticket, _ outcome: Outcome) {
        let continuation = state.withLock { state in
            state.queue.waiterLeft(ticket) ? state.waits.resolve(ticket, outcome) : nil
        }
        continuation?.resume(returning: outcome)
    }

    private func lease(
        _ ticket: EngineSlotQueue.Ticket, waited: Duration
    ) -> EngineSlotLease {
        EngineSlotLease(waited: waited) { [self] in
            let now = time.uptime
            let continuation = state.withLock { state in
                state.queue.slotWasReleased(ticket, at: now).flatMap {
                    state.waits.resolve($0, .granted)
                }
            }
            continuation?.resume(returning: .granted)
        }
    }

    private func busy(_ detail: String) -> BackendFailure {
        let wait = state.withLock { $0.queue.expectedWait }
        return BackendFailure(kind: .busy(retryAfter: wait), detail: detail)
    }
}
