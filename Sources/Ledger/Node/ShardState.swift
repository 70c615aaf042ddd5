import Domain

/// Everything that one node knows about one shard: its lane, its leases, its rate limits and its
/// open requests. Held in one mutex; its methods decide, the shell acts afterwards.
struct ShardState {
    /// What a request that waits for a lease is told.
    enum LeaseAnswer: Sendable {
        case admitted(Claims)
        case denied(Denial)
        case failed(LedgerFault)
    }

    /// What the ledger says of an opening.
    enum OpeningState: Sendable {
        case pending
        /// The ledger is away, and the request may go on without its word.
        case mayRide
        case accepted
        case keyRefused
        case failed(LedgerFault)
    }

    /// What a settling request is told.
    enum SettlementAnswer: Sendable {
        case recorded(Bool)
        /// The ledger has not said so in time; it will be told again until it has.
        case unheard
        case failed(LedgerFault)
    }

    /// A request between its admission and its durable settlement.
    struct OpenRequest {
        let claims: Claims
        let ticket: RateBook.Ticket
        /// The subject of the key that called.
        let key: Int64
        /// Where it will be counted.
        let rollup: RollupRow
        var opening: OpeningState = .pending
        /// Set once the request is settled and its closing is on its way.
        var charge: Charge?
        /// Whether it went on without the ledger's word.
        var rode = false
        /// Whether the ledger had it before a fence, or was told of it after one.
        var isKnown = false
    }

    /// Continuations to resume, outside the lock.
    struct Wakeups {
        var leases: [(CheckedContinuation<LeaseAnswer, Never>, LeaseAnswer)] = []
        var openings: [(CheckedContinuation<OpeningState, Never>, OpeningState)] = []
        var settlements: [(CheckedContinuation<SettlementAnswer, Never>, SettlementAnswer)] = []
        var lanes: [(CheckedContinuation<Bool, Never>, Bool)] = []
        var orders: [LeaseOrder] = []
        var rates: [(RateLine.Waiter, ShardLedger.RateAnswer)] = []
        var rateOrders: [RateOrder] = []
        /// Swept requests whose true amounts are known now.
        var corrections: [Closing] = []
        /// Requests that nothing more can happen to: the journal may forget them.
        var finished: [RequestID] = []
        /// The batch that was just committed, if one was.
        var committed: Int64 = 0

        func fire() {
            for (continuation, answer) in rates { continuation.resume(returning: answer) }
            for (continuation, answer) in lanes { continuation.resume(returning: answer) }
            for (continuation, answer) in leases { continuation.resume(returning: answer) }
            for (continuation, answer) in openings { continuation.resume(returning: answer) }
            for (continuation, answer) in settlements { continuation.resume(returning: answer) }
        }
    }

    var lane = LaneMachine()
    var book: LeaseBook
    /// What the request that is being decided needs: one list for all, so that none is made for each.
    var demands: [LeaseBook.Demand] = []
    var rates: RateBook
    /// What the requests of each key hold of the quotas that it shares with others.
    var shares: KeyShares
    var rateLine = RateLine()
    var open: [RequestID: OpenRequest] = [:]
    /// Accounts that have been charged since they were last looked at for thresholds. No more than
    /// there are accounts in use.
    var settledAccounts: Set<AccountID> = []
    var leaseWaits = WaitList<LeaseAnswer>()
    /// Requests that the book put in line and whose wait is not noted yet, with the answer if it
    /// came first.
    var enteringLine: [RequestID: LeaseAnswer?] = [:]
    var openingWaits = WaitList<OpeningState>()
    var settlementWaits = WaitList<SettlementAnswer>()
    /// Requests that came while there was no lane.
    var laneWaits = WaitList<Bool>()
    /// Orders that came before the lane was open, or while the leases are compared.
    var heldOrders: [LeaseOrder] = []
    /// Whether this node has yet to find the ledger's leases to be its own, after a failover:
    /// nothing is ordered meanwhile.
    var isComparing = false
    /// Corrections that wait for the lane of the next epoch, whose opening sweeps the last one's.
    var heldCorrections: [Closing] = []
    /// Orders at the ledger now.
    var ordersUnderWay = 0
    /// The lane loop, while it has nothing to do.
    var idleLoop: CheckedContinuation<Void, Never>?
    /// Requests that rode out an outage under an epoch that was fenced: the ledger is told when the
    /// lane opens anew.
    var heldLate: [LateRecord] = []
    /// Requests that the ledger had accepted before it lost batches.
    var acceptedBeforeLoss: Set<RequestID> = []
    /// Whether the ledger has refused a request for a lease that it does not have.
    var hasLostLeases = false
    /// Requests whose correction is not sealed by a batch, and whether the ledger ever had them.
    var correcting: [RequestID: (closing: Closing, isKnown: Bool)] = [:]
    /// Requests that still run and that the ledger does not know, and the epoch whose leases they
    /// spend.
    var unbooked: [RequestID: (opening: Opening, lane: LaneKey)] = [:]
    /// Whether the ledger answers.
    var silence = Silence()
    var isDraining = false
    /// The lane is being opened at this moment: a node that stops waits to close it again.
    var isOpeningLane = false
    /// Nothing is sent any more.
    var isStopped = false

    init(
        patience: Duration, keyShare: Int64, makeLeaseID: @escaping @Sendable () -> LeaseID
    ) {
        shares = KeyShares(percent: keyShare)
        book = LeaseBook(makeLeaseID: makeLeaseID)
        rates = RateBook(patience: patience)
    }

    /// Whether nothing is open and nothing waits to be written, or to be set right.
    var isQuiet: Bool {
        open.isEmpty && correcting.isEmpty && lane.backlog == 0 && ordersUnderWay == 0
    }

    // MARK: Effects of the lease book

    /// Turns the book's effects into wake-ups and orders. Orders wait while there is no lane.
    ///
    /// In a fixed order, the requests' that of their ids, which is that of their coming: so that
    /// nobody overtakes and a simulation repeats itself.
    mutating func apply(_ effects: LeaseBook.Effects, _ wakeups: inout Wakeups) {
        let admitted = effects.admitted.sorted { $0.key.rawValue < $1.key.rawValue }
        for (id, claims) in admitted { answer(id, .admitted(claims), &wakeups) }
        let denied = effects.denied.sorted { $0.key.rawValue < $1.key.rawValue }
        for (id, denial) in denied { answer(id, .denied(denial), &wakeups) }
        for id in effects.failed { answer(id, .failed(.unavailable), &wakeups) }
        send(effects.orders.sorted { $0.lease.rawValue < $1.lease.rawValue }, &wakeups)
    }

    /// A request leaves the line with an answer. It waits, or is just about to.
    private mutating func answer(
        _ id: RequestID, _ answer: LeaseAnswer, _ wakeups: inout Wakeups
    ) {
        if let waiter = leaseWaits.take(id) {
            wakeups.leases.append((waiter, answer))
        } else if enteringLine[id] != nil {
            enteringLine[id] = .some(answer)
        } else {
            // Whoever stops waiting leaves the book's line under the same lock.
            preconditionFailure("a request in line is waiting, or about to")
        }
    }

    mutating func send(_ orders: [LeaseOrder], _ wakeups: inout Wakeups) {
        guard lane.key != nil, !isComparing else { heldOrders += orders; return }
        ordersUnderWay += orders.count
        wakeups.orders += orders
    }

    // MARK: The lane

    /// The lane is open; orders that waited may go.
    mutating func laneOpened(
        _ key: LaneKey, at now: Uptime, sent: Uptime, _ wakeups: inout Wakeups
    ) {
        lane.opened(key)
        silence.answered(at: now, sent: sent)
        heldLate = []
        acceptedBeforeLoss = []
        hasLostLeases = false
        isOpeningLane = false
        releaseOrders(&wakeups)
        wakeups.corrections += heldCorrections
        heldCorrections = []
        wakeups.lanes += laneWaits.takeAll().map { ($0, true) }
    }

    /// The leases are the ledger's too: orders may go.
    mutating func releaseOrders(_ wakeups: inout Wakeups) {
        isComparing = false
        let held = heldOrders
        heldOrders = []
        send(held, &wakeups)
    }

    /// What could not be told to the ledger when the lane was opened.
    mutating func unbooked(_ opened: LaneStart.Opened) {
        guard let lane = opened.previous else { return }
        for opening in opened.unbooked { unbooked[opening.requestID] = (opening, lane) }
    }

    /// A batch was committed: `accepted` and `settled` name the requests whose rows it wrote.
    mutating func committed(
        _ batch: Batch, accepted: Set<RequestID>, settled: Set<RequestID>, at now: Uptime,
        _ wakeups: inout Wakeups
    ) {
        silence.batchAnswered(at: now)
        wakeups.committed = batch.sequence
        wakeups.finished += batch.corrected
        for id in batch.corrected { correcting[id] = nil }
        for opening in batch.openings {
            let id = opening.requestID
            if accepted.contains(id) {
                lane.accepted(id)
                resolve(id, .accepted, &wakeups)
            } else if lane.isRiding(id) {
                // Its key was revoked, and it had gone on by then: sent again, it is taken.
                lane.enqueue(opening)
            } else {
                resolve(id, .keyRefused, &wakeups)
            }
        }
        for closing in batch.closings {
            if lane.isWaiting(closing.requestID) {
                lane.enqueue(closing)
                continue
            }
            close(
                closing.requestID, charge: closing.charge,
                recorded: settled.contains(closing.requestID), at: now, &wakeups)
        }
    }

    /// The ledger refused one row for good.
    mutating func quarantined(
        _ rejection: LaneMachine.Rejection, at now: Uptime, _ wakeups: inout Wakeups
    ) {
        switch rejection {
        case .isolated: break
        case .opening(let opening):
            let id = opening.requestID
            // One that went on without the ledger's word stays in the journal, for the next start
            // to record.
            if lane.isRiding(id) { open[id] = nil }
            resolve(id, .failed(.rejected), &wakeups)
        case .closing(let closing):
            // Its reservation stays in the ledger, held at its bound, for an operator.
            open[closing.requestID] = nil
            if let waiter = settlementWaits.take(closing.requestID) {
                wakeups.settlements.append((waiter, .failed(.rejected)))
            }
        }
    }

    /// The lane was fenced, or the ledger has lost confirmed batches of it: nothing of its epoch is
    /// accepted any more, and its leases are gone. The lane starts anew.
    mutating func fenced(at now: Uptime, _ wakeups: inout Wakeups) {
        silence.batchAnswered(at: now)
        // A failover that fenced may also have lost: what the ledger had accepted and what still
        // runs, or waits to be settled, may be unknown to it now.
        for (id, request) in open {
            if case .accepted = request.opening { open[id]?.isKnown = true }
            if open[id]?.isKnown == true { acceptedBeforeLoss.insert(id) }
        }
        for (id, correction) in correcting where correction.isKnown {
            acceptedBeforeLoss.insert(id)
        }
        let lost = lane.fenced()
        keepLate(lost.openings, ends: lost.closings)
        // Those under way too: none is sealed.
        heldCorrections = correcting.values.map(\.closing).sorted {
            $0.requestID.rawValue < $1.requestID.rawValue
        }
        for opening in lost.openings { resolve(opening.requestID, .failed(.fenced), &wakeups) }
        // What was accepted under the old epoch is settled at its bound by the sweep.
        for id in open.keys { open[id]?.opening = .failed(.fenced) }
        for closing in lost.closings {
            let isKnown = open.removeValue(forKey: closing.requestID)?.isKnown ?? false
            correct(closing, isKnown: isKnown, &wakeups)
            if let waiter = settlementWaits.take(closing.requestID) {
                wakeups.settlements.append((waiter, .failed(.fenced)))
            }
        }
        heldOrders = []
        isComparing = false
        ordersUnderWay = 0
        var effects = LeaseBook.Effects()
        book.reset(&effects)
        apply(effects, &wakeups)
    }

    /// What went on without the ledger's word and was not told to it before the fence: as it ended,
    /// or at its bound while it still runs, to be corrected.
    private mutating func keepLate(_ openings: [Opening], ends closings: [Closing]) {
        let ends = Dictionary(closings.map { ($0.requestID, $0) }) { first, _ in first }
        for opening in openings where lane.isRiding(opening.requestID) {
            lane.accepted(opening.requestID)
            open[opening.requestID]?.isKnown = true
            if let end = ends[opening.requestID] {
                heldLate.append(LateRecord(opening, settled: end.settlement))
            } else {
                heldLate.append(LateRecord(atBound: opening, isRunning: true))
            }
        }
    }

    /// A request that a sweep may have charged at its bound: its true amount is set right once the
    /// sweep is over.
    mutating func correct(_ closing: Closing, isKnown: Bool, _ wakeups: inout Wakeups) {
        correcting[closing.requestID] = (closing, isKnown)
        if lane.key == nil {
            heldCorrections.append(closing)
        } else {
            wakeups.corrections.append(closing)
        }
    }

    /// The answer of an opening has come.
    private mutating func resolve(
        _ id: RequestID, _ state: OpeningState, _ wakeups: inout Wakeups
    ) {
        open[id]?.opening = state
        if let waiter = openingWaits.take(id) { wakeups.openings.append((waiter, state)) }
    }

    /// A request is over: its claims end, its place in the rate limits comes free, its caller hears
    /// of it.
    mutating func close(
        _ id: RequestID, charge: Charge, recorded: Bool, at now: Uptime, _ wakeups: inout Wakeups
    ) {
        wakeups.finished.append(id)
        if let request = open.removeValue(forKey: id) {
            var effects = LeaseBook.Effects()
            book.settled(request.claims, charge: recorded ? charge : nil, at: now, &effects)
            apply(effects, &wakeups)
        }
        if let waiter = settlementWaits.take(id) {
            wakeups.settlements.append((waiter, .recorded(recorded)))
        }
    }

    /// Ends every wait: the node stops.
    mutating func failAll(_ wakeups: inout Wakeups) {
        failRateWaits(&wakeups)
        wakeups.lanes += laneWaits.takeAll().map { ($0, false) }
        wakeups.leases += leaseWaits.takeAll().map { ($0, .failed(.draining)) }
        wakeups.openings += openingWaits.takeAll().map { ($0, .failed(.unavailable)) }
        wakeups.settlements += settlementWaits.takeAll().map { ($0, .failed(.unavailable)) }
    }

    /// The ledger is away: an end needs no more than the disk's word, and with `admits` who may go
    /// on without the ledger need not wait.
    mutating func ride(admits: Bool, _ wakeups: inout Wakeups) {
        if admits, !openingWaits.isEmpty {
            let riders = openingWaits.takeWhere { id in
                open[id].map { book.mayRide($0.claims) } ?? false
            }
            wakeups.openings += riders.map { ($0.1, .mayRide) }
        }
        wakeups.settlements += settlementWaits.takeAll().map { ($0, .unheard) }
    }

    /// Ends the waits whose time is up.
    mutating func expire(at now: Uptime, _ wakeups: inout Wakeups) {
        tickRates(at: now, &wakeups)
        endLeaseWaits(at: now, &wakeups)
        for (_, waiter) in laneWaits.takeExpired(at: now) {
            wakeups.lanes.append((waiter, false))
        }
        for (_, waiter) in openingWaits.takeExpired(at: now) {
            wakeups.openings.append((waiter, .failed(.unavailable)))
        }
        for (_, waiter) in settlementWaits.takeExpired(at: now) {
            wakeups.settlements.append((waiter, .unheard))
        }
    }
}
