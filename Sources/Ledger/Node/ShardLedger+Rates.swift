import Domain
import Logging
import Postgres

/// Requests that wait for cells of a rate limit, and the orders they lead to.
extension ShardLedger {
    /// What a request in line for its rate limits is told.
    enum RateAnswer: Sendable {
        case passed(RateBook.Ticket)
        case denied(Denial)
        case failed(LedgerFault)
    }

    /// Waits for the rate limits' answer. The book gives one within its patience, whatever the
    /// ledger does; only a client that leaves, or the node's end, comes before.
    func rateAnswer(for id: RequestID) async -> RateAnswer {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                change { state, wakeups in
                    // The answer may have come before this wait could be noted.
                    if let early = state.rateLine.enter(id, continuation) {
                        wakeups.rates.append((continuation, early))
                    } else if Task.isCancelled || state.isStopped {
                        state.abandonRateWait(id, &wakeups)
                    }
                }
            }
        } onCancel: {
            change { state, wakeups in state.abandonRateWait(id, &wakeups) }
        }
    }

    /// Carries out a list of orders, and lets the book act on the answer.
    func carryOut(_ orders: [RateOrder]) async {
        let (replies, isCertain) = await ask(orders)
        let now = clock.uptime
        change { state, wakeups in
            var effects = RateBook.Effects()
            if let replies {
                state.rates.replied(replies, at: now, &effects)
            } else {
                state.rates.failed(orders, isCertain: isCertain, at: now, &effects)
            }
            state.apply(effects, &wakeups)
        }
    }

    /// Asks the ledger, again where that helps. Without replies: whether it is certain that nothing
    /// was carried out.
    private func ask(_ orders: [RateOrder]) async -> ([(RateOrder, RateReply)]?, isCertain: Bool) {
        let clerk = RateClerk(shard: shard, clock: clock)
        var backOff = BackOff()
        var isCertain = true
        var patience = 8
        while true {
            do {
                let replies = try await pools.clerks.run { connection throws(PostgresError) in
                    try clerk.carryOut(orders, connection)
                }
                return (replies, true)
            } catch {
                isCertain = isCertain && !error.isAmbiguous
                // Nodes that meet at a row are told to come again, where the database works so. Of
                // another kind a second failure means that the ledger is away.
                patience -= error.fault == nil ? 4 : 1
                guard error.isRetryable, patience > 0 else {
                    logger.warning("a rate order failed", metadata: ["error": "\(error)"])
                    return (nil, isCertain)
                }
                await pause(backOff.next(random: random.bits()))
            }
        }
    }
}

extension ShardState {
    /// Decides over a request's rate limits, or puts it in line for them. An absent ledger is not
    /// waited for.
    mutating func passRates(
        _ request: AdmissionRequest, isAway: Bool, at now: Uptime, _ wakeups: inout Wakeups
    ) -> RateBook.Decision {
        var effects = RateBook.Effects()
        if isAway { rates.goAway(at: now, &effects) }
        let decision = rates.admit(
            request.requestID, request.principal.rateLimits(of: request.model),
            tokens: request.bound.total, at: now, &effects)
        if case .waiting = decision { rateLine.join(request.requestID) }
        apply(effects, &wakeups)
        return decision
    }

    /// Turns the rate book's effects into wake-ups and orders. They need no lane: a bucket belongs
    /// to no node.
    mutating func apply(_ effects: RateBook.Effects, _ wakeups: inout Wakeups) {
        for (id, ticket) in effects.passed {
            if let waiter = rateLine.answer(id, .passed(ticket)) {
                wakeups.rates.append((waiter, .passed(ticket)))
            }
        }
        for (id, denial) in effects.denied {
            if let waiter = rateLine.answer(id, .denied(denial)) {
                wakeups.rates.append((waiter, .denied(denial)))
            }
        }
        if !effects.orders.isEmpty { wakeups.rateOrders = effects.orders }
    }

    /// A request that waits for its rate limits leaves the line.
    mutating func abandonRateWait(_ id: RequestID, _ wakeups: inout Wakeups) {
        guard let waiter = rateLine.leave(id) else { return }
        _ = rates.leave(id)
        wakeups.rates.append((waiter, .failed(.unavailable)))
    }

    /// A tick of the rate book.
    mutating func tickRates(at now: Uptime, _ wakeups: inout Wakeups) {
        var effects = RateBook.Effects()
        rates.tick(at: now, &effects)
        apply(effects, &wakeups)
    }

    /// The node stops: nobody waits for a rate limit any more.
    mutating func failRateWaits(_ wakeups: inout Wakeups) {
        for (id, waiter) in rateLine.leaveAll() {
            _ = rates.leave(id)
            wakeups.rates.append((waiter, .failed(.draining)))
        }
    }
}

/// Requests in line at the rate book: from the moment they join to the moment they are answered,
/// whichever of the answer and the wait for it comes first.
struct RateLine {
    typealias Waiter = CheckedContinuation<ShardLedger.RateAnswer, Never>

    private enum Place {
        /// In line, and its task is about to wait.
        case joining
        case answered(ShardLedger.RateAnswer)
        case waiting(Waiter)
    }

    private var places: [RequestID: Place] = [:]

    /// The request joins the line; its task will wait.
    mutating func join(_ id: RequestID) { places[id] = .joining }

    /// The task waits from now on; or the answer, if it came first.
    mutating func enter(_ id: RequestID, _ waiter: Waiter) -> ShardLedger.RateAnswer? {
        if case .answered(let answer) = places[id] {
            places[id] = nil
            return answer
        }
        places[id] = .waiting(waiter)
        return nil
    }

    /// The answer has come: whom to tell, unless its task does not wait yet.
    mutating func answer(_ id: RequestID, _ answer: ShardLedger.RateAnswer) -> Waiter? {
        if case .waiting(let waiter) = places[id] {
            places[id] = nil
            return waiter
        }
        if places[id] != nil { places[id] = .answered(answer) }
        return nil
    }

    /// The task waits no longer; nil when it has been answered.
    mutating func leave(_ id: RequestID) -> Waiter? {
        guard case .waiting(let waiter) = places[id] else { return nil }
        places[id] = nil
        return waiter
    }

    /// Everybody who waits leaves.
    mutating func leaveAll() -> [(RequestID, Waiter)] {
        var left: [(RequestID, Waiter)] = []
        for (id, place) in places {
            if case .waiting(let waiter) = place { left.append((id, waiter)) }
        }
        for (id, _) in left { places[id] = nil }
        return left
    }
}
