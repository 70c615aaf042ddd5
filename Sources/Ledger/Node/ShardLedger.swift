import Domain
import Logging
import Postgres
import Synchronization

/// One node's side of the ledger for one shard: admission in memory, openings and closings in
/// ordered batches.
///
/// The shell around ``ShardState``: it takes the lock, lets the state decide, leaves the lock and
/// then resumes who waits. No connection and no lock is held while a request runs.
final class ShardLedger: Sendable {
    let shard: Int16
    let settings: LedgerSettings
    let node: Int64
    let clock: LedgerClock
    let pools: LedgerPools
    let journal: any Journal
    /// Settles what the process before this one left open in this shard.
    let recovery: JournalRecovery?
    let hasRecovered = Atomic<Bool>(false)
    let random: LedgerRandom
    let logger: Logger
    private let state: Mutex<ShardState>

    init(
        shard: Int16, settings: LedgerSettings, node: Int64, clock: LedgerClock, pools: LedgerPools,
        journal: FileJournal, random: LedgerRandom, logger: Logger
    ) {
        self.shard = shard
        self.settings = settings
        self.node = node
        self.clock = clock
        self.pools = pools
        self.journal = journal
        recovery = JournalRecovery(journal: journal, shard: shard)
        self.random = random
        var logger = logger
        logger[metadataKey: "shard"] = "\(shard)"
        self.logger = logger
        state = Mutex(ShardState { LeaseID(rawValue: random.positive()) })
    }

    /// Changes the state under the lock, then wakes whoever the change concerns.
    @discardableResult
    func change<Result: Sendable>(
        _ body: (inout ShardState, inout ShardState.Wakeups) -> Result
    ) -> Result {
        var wakeups = ShardState.Wakeups()
        let (result, lane, loop) = state.withLock { state in
            let result = body(&state, &wakeups)
            // The lane loop sleeps only while there is nothing to send.
            guard
                state.lane.backlog > 0 || state.lane.key == nil || state.isStopped
                    || (state.isDraining && state.isQuiet),
                let loop = state.idleLoop
            else {
                return (result, state.lane.key, nil as CheckedContinuation<Void, Never>?)
            }
            state.idleLoop = nil
            return (result, state.lane.key, loop)
        }
        if let lane, wakeups.committed > 0 || !wakeups.finished.isEmpty {
            journal.confirmed(lane, sequence: wakeups.committed, finished: wakeups.finished)
        }
        wakeups.fire()
        loop?.resume()
        if let lane {
            for order in wakeups.orders { pools.orders.send(.order(order, under: lane), of: self) }
        }
        for closing in wakeups.corrections { pools.orders.send(.correction(closing), of: self) }
        return result
    }

    // MARK: One request

    /// See ``QuotaLedger/admit(_:)``.
    func admit(_ request: AdmissionRequest) async throws(LedgerFault) -> Admission {
        let now = clock.uptime
        let admittedAt = clock.now
        let demands = Self.demands(of: request, at: admittedAt)
        enum First {
            case fault(LedgerFault)
            case denied(Denial)
            case decided(RateLimiter.Ticket, LeaseBook.Decision)
        }
        guard await hasLane(for: request.requestID) else { throw .unavailable }
        let first = change { state, wakeups -> First in
            if let fault = refusal(state, at: now) { return .fault(fault) }
            let limits = request.principal.rateLimits
            switch state.limiter.admit(limits, tokens: request.bound.total, at: now) {
            case .denied(let denial): return .denied(denial)
            case .passed(let ticket):
                var effects = LeaseBook.Effects()
                let decision = state.book.request(request.requestID, demands, at: now, &effects)
                switch decision {
                case .denied: state.limiter.undo(ticket, at: now)
                case .admitted(let claims):
                    guard open(request, claims, ticket, admittedAt, &state, &wakeups) else {
                        return .fault(.unavailable)
                    }
                case .waiting: state.enteringLine[request.requestID] = .some(nil)
                }
                state.apply(effects, &wakeups)
                return .decided(ticket, decision)
            }
        }
        switch first {
        case .fault(let fault): throw fault
        case .denied(let denial), .decided(_, .denied(let denial)): return .denied(denial)
        case .decided(_, .admitted(let claims)):
            return .admitted(Reservation(request, claims: claims, admittedAt: admittedAt))
        case .decided(let ticket, .waiting):
            return try await admitAfterWait(request, ticket, admittedAt)
        }
    }

    private func admitAfterWait(
        _ request: AdmissionRequest, _ ticket: RateLimiter.Ticket, _ admittedAt: Timestamp
    ) async throws(LedgerFault) -> Admission {
        let id = request.requestID
        let deadline = clock.uptime + settings.acceptanceWait
        let answer = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                change { state, wakeups in
                    // The answer may have come before this wait could be noted.
                    if let early = state.enteringLine.removeValue(forKey: id) ?? nil {
                        wakeups.leases.append((continuation, early))
                        return
                    }
                    state.leaseWaits.add(id, until: deadline, continuation)
                    if Task.isCancelled { state.abandonLeaseWait(id, &wakeups) }
                }
            }
        } onCancel: {
            change { state, wakeups in state.abandonLeaseWait(id, &wakeups) }
        }
        switch answer {
        case .admitted(let claims):
            let isOpen = change { state, wakeups in
                open(request, claims, ticket, admittedAt, &state, &wakeups)
            }
            guard isOpen else { throw .unavailable }
            return .admitted(Reservation(request, claims: claims, admittedAt: admittedAt))
        case .denied(let denial):
            change { state, _ in state.limiter.undo(ticket, at: clock.uptime) }
            return .denied(denial)
        case .failed(let fault):
            change { state, _ in state.limiter.undo(ticket, at: clock.uptime) }
            throw fault
        }
    }

    /// Why nothing can be admitted now, whatever the quotas: decided before anything is taken.
    private func refusal(_ state: borrowing ShardState, at now: Uptime) -> LedgerFault? {
        if state.isDraining { return .draining }
        if state.lane.backlog >= settings.backlogLimit { return .overloaded }
        if let since = state.silentSince, now - since > settings.acceptanceWait {
            return .unavailable
        }
        return nil
    }

    /// Whether there is a lane to send the request through; waits for one that is being opened.
    private func hasLane(for id: RequestID) async -> Bool {
        if change({ state, _ in state.lane.key != nil || state.isDraining }) { return true }
        let deadline = clock.uptime + settings.acceptanceWait
        return await withCheckedContinuation { continuation in
            change { state, wakeups in
                if state.lane.key != nil {
                    wakeups.lanes.append((continuation, true))
                } else {
                    state.laneWaits.add(id, until: deadline, continuation)
                }
            }
        }
    }

    /// Writes the opening to the journal (gate G0) and hands it to the lane. False, with everything
    /// given back, when the journal cannot keep it or the lane was fenced this moment.
    private func open(
        _ request: AdmissionRequest, _ claims: [Claim], _ ticket: RateLimiter.Ticket,
        _ admittedAt: Timestamp, _ state: inout ShardState, _ wakeups: inout ShardState.Wakeups
    ) -> Bool {
        let opening = Opening(
            requestID: request.requestID, key: request.principal.key,
            modelNumber: NameNumber.of(request.model),
            backendNumber: NameNumber.of(request.backend), price: request.price,
            bound: request.bound, claims: claims, admittedAt: admittedAt)
        guard let lane = state.lane.key, journal.opened(opening, lane: lane) else {
            var effects = LeaseBook.Effects()
            state.book.settled(claims, charge: nil, at: clock.uptime, &effects)
            state.limiter.undo(ticket, at: clock.uptime)
            state.apply(effects, &wakeups)
            return false
        }
        state.open[request.requestID] = ShardState.OpenRequest(claims: claims, ticket: ticket)
        state.lane.enqueue(opening)
        return true
    }

    /// See ``QuotaLedger/acceptance(of:)``.
    func acceptance(of id: RequestID) async throws(LedgerFault) -> Acceptance {
        let deadline = clock.uptime + settings.acceptanceWait
        let answer = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                change { state, wakeups in
                    let opening = state.open[id]?.opening ?? .failed(.fenced)
                    if case .pending = opening, !Task.isCancelled {
                        state.openingWaits.add(id, until: deadline, continuation)
                    } else {
                        wakeups.openings.append((continuation, opening))
                    }
                }
            }
        } onCancel: {
            change { state, wakeups in
                if let waiter = state.openingWaits.take(id) {
                    wakeups.openings.append((waiter, .failed(.unavailable)))
                }
            }
        }
        switch answer {
        case .accepted: return .accepted
        case .keyRefused: return .keyRefused
        case .failed(let fault): throw fault
        case .pending: throw .unavailable
        }
    }

    /// See ``QuotaLedger/settle(_:as:)``.
    func settle(
        _ reservation: consuming Reservation, as settlement: Settlement
    ) async throws(LedgerFault) -> Receipt {
        let charge = Charge(settlement, bound: reservation.bound, price: reservation.price)
        let closing = Closing(
            requestID: reservation.requestID, claims: reservation.claims, charge: charge,
            settlement: settlement, admittedAt: reservation.admittedAt)
        let id = reservation.requestID
        journal.closed(closing)
        let deadline = clock.uptime + settings.settlementWait
        let answer = await withCheckedContinuation { continuation in
            change { state, wakeups in
                state.settling(closing, at: clock.uptime, until: deadline, continuation, &wakeups)
            }
        }
        reservation.settled()
        switch answer {
        case .recorded(let recorded): return Receipt(charge: charge, recorded: recorded)
        case .failed(let fault):
            if fault == .rejected {
                logger.error(
                    "a settlement was refused by the ledger", metadata: ["request": "\(id)"])
            }
            throw fault
        }
    }

    /// What a principal has left of the quotas and rate limits that apply to it.
    func standing(of principal: Principal) -> Standing {
        let now = clock.uptime
        let ledgerNow = clock.now
        return change { state, _ in
            var standing = Standing(requests: nil, tokens: nil)
            for limit in principal.rateLimits {
                guard let line = state.limiter.standing(of: limit, at: now) else { continue }
                if limit.dimension == .tokensPerMinute {
                    standing.tokens = line.tighter(standing.tokens)
                } else {
                    standing.requests = line.tighter(standing.requests)
                }
            }
            for quota in principal.quotas where quota.resource != .cost {
                let account = quota.account(at: ledgerNow)
                let reset = quota.period.end(of: account.start).map { $0 - ledgerNow } ?? .zero
                let line = Standing.Line(
                    limit: quota.limit, remaining: state.book.remaining(of: account) ?? quota.limit,
                    reset: reset)
                if quota.resource == .tokens {
                    standing.tokens = line.tighter(standing.tokens)
                } else {
                    standing.requests = line.tighter(standing.requests)
                }
            }
            return standing
        }
    }

    private static func demands(
        of request: AdmissionRequest, at instant: Timestamp
    ) -> [LeaseBook.Demand] {
        request.principal.quotas.compactMap { quota in
            let units = request.units(of: quota.resource)
            guard units > 0 else { return nil }
            return LeaseBook.Demand(
                account: quota.account(at: instant), limit: quota.limit, units: units)
        }
    }
}

extension ShardState {
    /// A request that waits for a lease leaves the line.
    mutating func abandonLeaseWait(_ id: RequestID, _ wakeups: inout Wakeups) {
        guard let waiter = leaseWaits.take(id) else { return }
        _ = book.leave(id)
        wakeups.leases.append((waiter, .failed(.unavailable)))
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
        limiter.finish(request.ticket, used: closing.charge.tokens, at: now)
        open[id]?.charge = closing.charge
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
                correct(closing, &wakeups)
                if let waiter = settlementWaits.take(id) {
                    wakeups.settlements.append((waiter, .recorded(false)))
                }
            } else {
                close(id, charge: closing.charge, recorded: false, at: now, &wakeups)
            }
        case .pending, .accepted:
            lane.enqueue(closing)
        }
    }
}
