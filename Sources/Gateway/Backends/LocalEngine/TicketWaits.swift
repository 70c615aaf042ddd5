import Domain

/// The tasks that wait to hear what becomes of their tickets. A part of the state of whoever decides
/// that, and so under its lock; continuations are resumed after it.
struct TicketWaits<Ticket: Hashable & Sendable, Outcome: Sendable> {
    typealias Waiter = CheckedContinuation<Outcome, Never>

    /// Why a task stops waiting by itself.
    enum Leaving { case expired, cancelled }

    private var waiters: [Ticket: Waiter] = [:]
    /// What those are told who have a ticket and have not begun to wait yet.
    private var early: [Ticket: Outcome] = [:]

    /// Takes the task that waits with `ticket`, to be resumed with the outcome; if it has not come to
    /// wait yet, leaves it that.
    mutating func resolve(_ ticket: Ticket, _ outcome: Outcome) -> Waiter? {
        if let waiter = waiters.removeValue(forKey: ticket) { return waiter }
        early[ticket] = outcome
        return nil
    }

    /// A task begins to wait, unless its outcome is here already: then that.
    mutating func enter(_ ticket: Ticket, _ waiter: Waiter) -> Outcome? {
        if let outcome = early.removeValue(forKey: ticket) { return outcome }
        waiters[ticket] = waiter
        return nil
    }

    /// Waits for a ticket's outcome. `enter` is ``enter(_:_:)`` under the lock; `leave` is told when
    /// `patience` is over or the task is cancelled, and resolves the ticket unless it is resolved.
    static func outcome(
        atMost patience: Duration, enter: @Sendable (Waiter) -> Outcome?,
        leave: @escaping @Sendable (Leaving) -> Void
    ) async -> Outcome {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                // Cancelled once the wait is over.
                guard (try? await Task.sleep(for: patience)) != nil else { return }
                leave(.expired)
            }
            let outcome = await withTaskCancellationHandler {
                await withCheckedContinuation { waiter in
                    if let early = enter(waiter) { waiter.resume(returning: early) }
                }
            } onCancel: {
                leave(.cancelled)
            }
            group.cancelAll()
            return outcome
        }
    }
}
