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
    let names: NameBook
    let node: Int64
    let clock: LedgerClock
    let pools: LedgerPools
    let journal: any RecoverableJournal
    /// Settles what the process before this one left open in this shard.
    let recovery: JournalRecovery
    let hasRecovered = Atomic<Bool>(false)
    let random: LedgerRandom
    let logger: Logger
    private let state: Mutex<ShardState>

    init(
        shard: Int16, settings: LedgerSettings, names: NameBook, node: Int64, clock: LedgerClock,
        pools: LedgerPools,
        journal: any RecoverableJournal, random: LedgerRandom, logger: Logger
    ) {
        self.shard = shard
        self.settings = settings
        self.names = names
        self.node = node
        self.clock = clock
        self.pools = pools
        self.journal = journal
        recovery = JournalRecovery(journal: journal, shard: shard)
        self.random = random
        var logger = logger
        logger[metadataKey: "shard"] = "\(shard)"
        self.logger = logger
        var fresh = ShardState(
            patience: settings.acceptanceWait, keyShare: settings.keySharePercent
        ) { LeaseID(rawValue: random.positive()) }
        fresh.lane.batchLimit = settings.batchLimit
        state = Mutex(fresh)
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
            Failpoint.pass("before-journal-confirm")
            journal.confirmed(lane, sequence: wakeups.committed, finished: wakeups.finished)
            Failpoint.pass("before-wakeups")
        }
        wakeups.fire()
        loop?.resume()
        if let lane {
            for order in wakeups.orders { pools.orders.send(.order(order, under: lane), of: self) }
        }
        if !wakeups.rateOrders.isEmpty {
            pools.orders.send(.rates(wakeups.rateOrders), of: self)
        }
        for closing in wakeups.corrections { pools.orders.send(.correction(closing), of: self) }
        return result
    }

    // MARK: One request

    /// See ``QuotaLedger/admit(_:)``.
    func admit(_ request: AdmissionRequest) async throws(LedgerFault) -> Admission {
        guard await hasLane(for: request.requestID) else { throw .unavailable }
        // Only now: before the lane was opened, the time was the host's own.
        let now = clock.uptime
        let admittedAt = clock.now
        var first = change { state, wakeups -> FirstAnswer in
            if let fault = refusal(state, at: now) { return .fault(fault) }
            let isAway = isGone(state, at: now)
            switch state.passRates(request, isAway: isAway, at: now, &wakeups) {
            case .denied(let denial): return .denied(denial)
            case .overloaded: return .fault(.overloaded)
            case .waiting: return .inLine
            case .passed(let ticket):
                return askBook(request, ticket, admittedAt, at: now, &state, &wakeups)
            }
        }
        if case .inLine = first {
            first =
                switch await rateAnswer(for: request.requestID) {
                case .denied(let denial): .denied(denial)
                case .failed(let fault): .fault(fault)
                case .passed(let ticket):
                    change { state, wakeups in
                        askBook(
                            request, ticket, admittedAt, at: clock.uptime, &state, &wakeups)
                    }
                }
        }
        switch first {
        case .inLine: throw .unavailable
        case .fault(let fault): throw fault
        case .denied(let denial), .decided(_, .denied(let denial)): return .denied(denial)
        case .decided(_, .admitted(let claims)):
            return .admitted(Reservation(request, claims: claims, admittedAt: admittedAt))
        case .decided(let ticket, .waiting):
            return try await admitAfterWait(request, ticket, admittedAt)
        }
    }

    /// What is said to a request under the first lock.
    private enum FirstAnswer {
        case fault(LedgerFault)
        case denied(Denial)
        /// It stands in line for its rate limits.
        case inLine
        case decided(RateBook.Ticket, LeaseBook.Decision)
    }

    /// The rate limits let it pass; now the quotas.
    private func askBook(
        _ request: AdmissionRequest, _ ticket: RateBook.Ticket, _ admittedAt: Timestamp,
        at now: Uptime, _ state: inout ShardState, _ wakeups: inout ShardState.Wakeups
    ) -> FirstAnswer {
        state.noteDemands(of: request, at: admittedAt)
        if let denial = state.refusalByShare(of: request) {
            state.rates.undo(ticket, at: now)
            return .decided(ticket, .denied(denial))
        }
        var effects = LeaseBook.Effects()
        guard let decision = decide(request.requestID, &state, at: now, &effects) else {
            state.rates.undo(ticket, at: now)
            return .fault(.unavailable)
        }
        switch decision {
        case .denied: state.rates.undo(ticket, at: now)
        case .admitted(let claims):
            state.shares.take(state.demands, by: request.principal.keySubject)
            guard open(request, claims, ticket, admittedAt, &state, &wakeups) else {
                return .fault(.unavailable)
            }
        case .waiting:
            state.shares.take(state.demands, by: request.principal.keySubject)
            state.enteringLine[request.requestID] = .some(nil)
        }
        state.apply(effects, &wakeups)
        return .decided(ticket, decision)
    }

    private func admitAfterWait(
        _ request: AdmissionRequest, _ ticket: RateBook.Ticket, _ admittedAt: Timestamp
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
            change { state, _ in state.turnAway(request, admittedAt, ticket, at: clock.uptime) }
            return .denied(denial)
        case .failed(let fault):
            change { state, _ in state.turnAway(request, admittedAt, ticket, at: clock.uptime) }
            throw fault
        }
    }

    /// Why nothing can be admitted now, whatever the quotas: decided before anything is taken.
    private func refusal(_ state: borrowing ShardState, at now: Uptime) -> LedgerFault? {
        if state.isDraining { return .draining }
        if journal.hasFailed { return .unavailable }
        guard isAway(state, at: now) else {
            return state.lane.backlog >= settings.backlogLimit ? .overloaded : nil
        }
        if state.lane.backlog >= settings.outageBacklogLimit { return .overloaded }
        guard isGone(state, at: now) else { return nil }
        return state.silence.mayRide(at: now, for: settings.rideFor) ? nil : .unavailable
    }

    /// The book's decision; nil when only a ledger that is away could make it.
    private func decide(
        _ id: RequestID, _ state: inout ShardState, at now: Uptime,
        _ effects: inout LeaseBook.Effects
    ) -> LeaseBook.Decision? {
        guard isAway(state, at: now) else {
            return state.book.request(id, state.demands, at: now, &effects)
        }
        if state.silence.mayRide(at: now, for: settings.rideFor),
            let decision = state.book.ride(state.demands, at: now)
        {
            return decision
        }
        return isGone(state, at: now)
            ? nil : state.book.request(id, state.demands, at: now, &effects)
    }

    /// Whether there is a lane to send the request through; waits for one that is being opened.
    func hasLane(for id: RequestID) async -> Bool {
        let isKnown = change { state, _ -> Bool? in
            if state.lane.key != nil || state.isDraining { return true }
            let isGone = state.silence.hasFailed(at: clock.uptime, for: settings.rideAfter)
            return isGone ? false : nil
        }
        if let isKnown { return isKnown }
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
        _ request: AdmissionRequest, _ claims: Claims, _ ticket: RateBook.Ticket,
        _ admittedAt: Timestamp, _ state: inout ShardState, _ wakeups: inout ShardState.Wakeups
    ) -> Bool {
        var opening = Opening(
            requestID: request.requestID, key: request.principal.key,
            modelNumber: NameNumber.of(request.model),
            backendNumber: NameNumber.of(request.backend), price: request.price,
            bound: request.bound, claims: claims, admittedAt: admittedAt)
        opening.user = request.user
        Failpoint.pass("before-journal-open")
        guard let lane = state.lane.key, journal.opened(opening, lane: lane) else {
            var effects = LeaseBook.Effects()
            state.book.settled(claims, charge: nil, at: clock.uptime, &effects)
            state.rates.undo(ticket, at: clock.uptime)
            state.shares.giveBack(claims, by: request.principal.keySubject)
            state.apply(effects, &wakeups)
            return false
        }
        Failpoint.pass("after-journal-open")
        state.open[request.requestID] = ShardState.OpenRequest(
            claims: claims, ticket: ticket, key: request.principal.keySubject,
            rollup: RollupRow(opening))
        state.lane.enqueue(opening)
        return true
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
        Failpoint.pass("before-journal-close")
        journal.closed(closing)
        Failpoint.pass("after-journal-close")
        let deadline = clock.uptime + settings.settlementWait
        let answer = await withCheckedContinuation { continuation in
            change { state, wakeups in
                state.settling(closing, at: clock.uptime, until: deadline, continuation, &wakeups)
                ride(&state, at: clock.uptime, &wakeups)
            }
        }
        reservation.settled()
        switch answer {
        case .recorded(let recorded): return Receipt(charge: charge, recorded: recorded)
        case .unheard:
            // The opening is in the ledger, or on the disk: the closing may be on the disk alone.
            // A void request has nothing to lose.
            guard settlement.basis != .void else { return Receipt(charge: charge, recorded: false) }
            guard await journal.sync() else { throw .unavailable }
            return Receipt(charge: charge, recorded: true)
        case .failed(let fault):
            if fault == .rejected {
                logger.error(
                    "a settlement was refused by the ledger", metadata: ["request": "\(id)"])
            }
            throw fault
        }
    }
}
