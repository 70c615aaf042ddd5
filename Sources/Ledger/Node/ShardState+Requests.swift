import Domain

/// What a request's beginning and its end do to the state.
extension ShardState {
    /// Puts down what a request needs of the quotas that it is subject to.
    mutating func noteDemands(of request: AdmissionRequest, at instant: Timestamp) {
        demands.removeAll(keepingCapacity: true)
        for quota in request.principal.quotas where quota.counts(request.model) {
            let units = request.units(of: quota.resource)
            guard units > 0 else { continue }
            demands.append(
                LeaseBook.Demand(
                    account: quota.account(at: instant), limit: quota.limit, units: units,
                    rides: quota.ridesOutages, isSoft: quota.isSoft))
        }
    }

    /// Why a request whose demands are noted may not run beside those of its own key.
    func refusalByShare(of request: AdmissionRequest) -> Denial? {
        shares.refusal(
            of: demands, by: request.principal.keySubject, liveNodes: book.liveNodes)
    }

    /// A request that stood in line is not let in: its places in the rate limits and in its key's
    /// shares come free.
    mutating func turnAway(
        _ request: AdmissionRequest, _ admittedAt: Timestamp, _ ticket: RateBook.Ticket,
        at now: Uptime
    ) {
        rates.undo(ticket, at: now)
        noteDemands(of: request, at: admittedAt)
        shares.giveBack(demands, by: request.principal.keySubject)
    }

    /// A request that waits for a lease leaves the line.
    mutating func abandonLeaseWait(_ id: RequestID, _ wakeups: inout Wakeups) {
        guard let waiter = leaseWaits.take(id) else { return }
        _ = book.leave(id)
        wakeups.leases.append((waiter, .failed(.unavailable)))
    }

    /// The time of those who wait for leases is up: who lacks soft quotas alone goes on without them.
    mutating func endLeaseWaits(at now: Uptime, _ wakeups: inout Wakeups) {
        for (id, waiter) in leaseWaits.takeExpired(at: now) {
            if let claims = book.leaveWithoutSoft(id, at: now) {
                wakeups.leases.append((waiter, .admitted(claims)))
            } else {
                _ = book.leave(id)
                wakeups.leases.append((waiter, .failed(.unavailable)))
            }
        }
    }

    /// A request settles: its closing goes to the lane, unless its opening never left this node.
    mutating func settling(
        _ closing: Closing, at now: Uptime, until deadline: Uptime,
        _ continuation: CheckedContinuation<SettlementAnswer, Never>, _ wakeups: inout Wakeups
    ) {
        let id = closing.requestID
        guard let request = open[id] else {
            wakeups.settlements.append((continuation, .failed(.fenced)))
            return
        }
        rates.finish(request.ticket, used: closing.charge.tokens, at: now)
        shares.giveBack(request.claims, by: request.key)
        open[id]?.charge = closing.charge
        if closing.settlement.basis != .void {
            for claim in closing.claims { settledAccounts.insert(claim.accountID) }
        }
        settlementWaits.add(id, until: deadline, continuation)
        switch request.opening {
        case .pending where closing.settlement.basis == .void && lane.withdraw(opening: id):
            // The ledger never heard of it and the client got nothing: as if it had not been.
            close(id, charge: closing.charge, recorded: false, at: now, &wakeups)
        case .keyRefused:
            close(id, charge: closing.charge, recorded: false, at: now, &wakeups)
        case .failed(let fault):
            // The opening is not in the ledger, or was swept there: nothing of this can be closed.
            // A void request loses nothing by it; one that delivered was charged at its bound, and
            // its client must not see a good end.
            if closing.settlement.basis != .void, let waiter = settlementWaits.take(id) {
                wakeups.settlements.append((waiter, .failed(fault)))
            }
            if fault == .fenced {
                open[id] = nil
                correct(closing, isKnown: request.isKnown, &wakeups)
                if let waiter = settlementWaits.take(id) {
                    wakeups.settlements.append((waiter, .recorded(false)))
                }
            } else {
                close(id, charge: closing.charge, recorded: false, at: now, &wakeups)
            }
        case .pending, .mayRide, .accepted:
            var closing = closing
            closing.rollup = request.rollup
            lane.enqueue(closing)
        }
    }
}
