/// One account's lease as its node sees it. A part of ``LeaseBook``.
struct LeaseSlot: Sendable {
    let account: AccountKey
    let lease: LeaseID
    /// Known once the ledger has answered the first order.
    private(set) var accountID: AccountID?
    private var limit: Int64
    /// Whether the quota lets the node go on while the ledger is away.
    private var rides = true
    /// Whether the quota only warns: the lease is then a slice far above any limit, and never short.
    private(set) var isSoft = false
    /// It was soft and is hard now, and what it held then has not gone back: nothing of it is spent.
    private var isSwollen = false
    /// The ledger could not give a slice of a soft quota; until then requests go on without one.
    private var passedOverUntil: Uptime?
    /// What is used of a soft quota.
    private var use = SoftUse()
    /// Whether the ledger knows that, by the last grant.
    private var leaseRides = false
    /// Units that may be taken.
    private(set) var free: Int64 = 0
    /// Units held by open requests of this node.
    private(set) var outstanding: Int64 = 0
    /// The lease row's size as the ledger last said; grants, returns and folds all pass through one
    /// connection.
    private var granted: Int64 = 0
    /// Whether the ledger has a row of the lease, be it of no units: only its end drops it.
    private var hasRow = false
    /// What the account had left to grant, as the ledger last said; the limit until then.
    private(set) var remaining: Int64
    private var refusal: (status: AccountStatus, at: Uptime)?
    private var orderInFlight = false
    /// Units on their way back to the ledger: not to be had here, and not yet known to be there.
    private var returning: Int64 = 0
    private var limitChanged = true
    private var lastUse: Uptime
    private var lastFold: Uptime
    private var hasSettled = false
    /// The order whose answer never came: it was carried out or not, and a look will tell. Until
    /// then nothing counts as free that may not be.
    private var lost: LeaseOrder.Action?
    private var demand: DemandGauge
    private var idleBeats = 0
    private var generation: Int64?
    /// A recall was heard and not followed yet, since an order was in flight or somebody waited.
    private var isRecalled = false
    private var frugalUntil: Uptime?

    /// Without a request for this long a lease goes back whole.
    static let idleAfter: Duration = .seconds(10)
    /// After a recall nothing is held beyond need for this long: the request that was refused comes
    /// again after a second, and must not find that everybody has helped himself anew.
    static let frugality: Duration = .seconds(3)
    /// What a node holds of a soft quota: far above every limit, so that it is never short of it and
    /// asks for more in the background, and so that what is left of it when the quota becomes hard is
    /// known for what it is. The ledger's bound for a soft account is 499 of them.
    static let softSlice: Int64 = 1 << 54
    /// A soft slice is kept longer, so that a node has it when the ledger is away.
    static let softIdleAfter: Duration = .seconds(600)
    /// How long requests go on without a soft slice that could not be had before it is asked for anew.
    static let passedOverFor: Duration = .seconds(1)
    /// Settled units become the account's this often.
    static let foldAfter: Duration = .seconds(60)

    init(account: AccountKey, lease: LeaseID, limit: Int64, at now: Uptime) {
        self.account = account
        self.lease = lease
        self.limit = limit
        remaining = limit
        lastUse = now
        lastFold = now
        demand = DemandGauge(at: now)
    }

    /// Whether the slot can go once its lease is given back.
    var isIdleAndEmpty: Bool { free == 0 && outstanding == 0 && !orderInFlight }

    /// Whether the ledger holds no lease row with anything in it for this slot, and none is on its
    /// way.
    var holdsNothing: Bool { !mayHoldLease && outstanding == 0 && !orderInFlight }

    private var mayHoldLease: Bool { hasRow || lost != nil }

    func covers(_ units: Int64) -> Bool { free >= units && accountID != nil && !isSwollen }

    /// Whether a request need not wait for what it needs here.
    func suffices(for demand: LeaseBook.Demand, at now: Uptime) -> Bool {
        covers(demand.units) || demand.isSoft && isPassedOver(at: now)
    }

    /// What is used of a soft quota, as far as this node knows; nil where it knows nothing.
    var knownUse: Int64? { use.known }

    /// A heartbeat is sent.
    mutating func beatSent() { use.beatSent() }

    /// Its answer: what is settled in the ledger.
    mutating func heardUse(_ units: Int64) { use.heard(units) }

    /// Whether the ledger's last answer was a refusal.
    var hasRefusal: Bool { refusal != nil }

    func isForgettable(at now: Uptime) -> Bool {
        isIdleAndEmpty && holdsNothing && now - lastUse >= Self.idleAfter
    }

    // MARK: Requests

    mutating func wanted(_ wanted: LeaseBook.Demand, at now: Uptime) {
        demand.note(wanted.units, at: now)
        rides = wanted.rides
        demand.windows = rides ? DemandGauge.windowsOfAnOutage : 1
        lastUse = now
        let newLimit = wanted.limit
        if isSoft != wanted.isSoft { change(toSoft: wanted.isSoft, limit: newLimit) }
        guard newLimit != limit else { return }
        let (raised, overflow) = remaining.addingReportingOverflow(newLimit - limit)
        remaining = overflow ? newLimit : raised
        limit = newLimit
        limitChanged = true
        refusal = nil
    }

    /// The quota was made soft, or hard. What is known of one says nothing of the other.
    private mutating func change(toSoft soft: Bool, limit newLimit: Int64) {
        isSwollen = isSoft && free > 0
        isSoft = soft
        passedOverUntil = nil
        use = SoftUse()
        limit = newLimit
        remaining = newLimit
        limitChanged = true
        refusal = nil
    }

    private func isPassedOver(at now: Uptime) -> Bool { passedOverUntil.map { now < $0 } ?? false }

    /// The ledger could not answer: a soft quota is passed over for a moment. False for a hard one.
    mutating func passOver(at now: Uptime) -> Bool {
        guard isSoft else { return false }
        passedOverUntil = now + Self.passedOverFor
        return true
    }

    /// Whether `units` may be taken while the ledger is away: the quota says so, the ledger knows,
    /// and the account is not near its end, nor wanted by others.
    func coversRide(_ units: Int64, liveNodes: Int64, at now: Uptime) -> Bool {
        covers(units) && mayRide && !isRecalled && !isFrugal(at: now)
            && demand.target(of: remaining, liveNodes: liveNodes, at: now) > 0
    }

    /// Whether a request that holds a claim of this lease may go on without the ledger's word.
    var mayRide: Bool { isSoft || rides && leaseRides }

    mutating func take(_ units: Int64, at now: Uptime) -> Claim? {
        guard let accountID else { return nil }
        precondition(free >= units, "a claim is covered before it is taken")
        free -= units
        outstanding += units
        return Claim(account: account, accountID: accountID, lease: lease, units: units)
    }

    mutating func release(_ units: Int64, charged: Int64) {
        precondition(charged >= 0 && charged <= units, "a charge is within its claim")
        outstanding -= units
        free += units - charged
        hasSettled = hasSettled || charged > 0
        use.charged(charged)
    }

    /// Why `units` cannot be had, if an answer not older than `instant` says so.
    func denial(of units: Int64, notBefore instant: Uptime) -> Denial? {
        guard !covers(units), let refusal, refusal.at >= instant,
            units > free + returning + max(0, refusal.status.remaining)
        else { return nil }
        return refusal.status.denial(of: units, account: account)
    }

    // MARK: Orders

    /// Orders what waiters lack: all of it, and up to the target, so that the next ones need not
    /// wait.
    mutating func orderGrowth(
        for sum: Int64, least: Int64, liveNodes: Int64, at now: Uptime
    ) -> LeaseOrder? {
        guard !orderInFlight, sum > free || accountID == nil || isSwollen else { return nil }
        guard lost == nil else { return order(.look, mayRecall: false) }
        if isSwollen { return giveBack(free) }
        let shortage = max(1, sum - free)
        let enough = max(1, min(shortage, least - free))
        // Asked a moment ago: the answer would be the same, over and over.
        if let refusal, now - refusal.at < LeaseBook.refusalMemory,
            refusal.status.remaining < enough
        {
            return nil
        }
        let ahead =
            isSoft
            ? Self.softSlice - free
            : isFrugal(at: now)
                ? 0 : demand.target(of: remaining, liveNodes: liveNodes, at: now) - free
        return order(.grow(want: max(shortage, ahead), least: enough), mayRecall: true)
    }

    /// Orders ahead of need once half the target is gone, unless the account is near its end or
    /// was recalled, where each request orders exactly what it needs.
    mutating func orderPrefetch(liveNodes: Int64, at now: Uptime) -> LeaseOrder? {
        guard !orderInFlight, lost == nil, !isRecalled, !isFrugal(at: now) else { return nil }
        if isSoft {
            guard free < Self.softSlice / 2, !isPassedOver(at: now) else { return nil }
            return order(.grow(want: Self.softSlice - free, least: 1), mayRecall: false)
        }
        let target = demand.target(of: remaining, liveNodes: liveNodes, at: now)
        guard target > 0, free < target / 2 else { return nil }
        return order(.grow(want: target - free, least: 1), mayRecall: false)
    }

    /// What a beat gives back: all of a lease that nobody uses, or that was recalled; what is free
    /// beyond twice the target on three beats; or only a fold.
    mutating func maintain(at now: Uptime, liveNodes: Int64) -> LeaseOrder? {
        guard !orderInFlight else { return nil }
        guard lost == nil else { return order(.look, mayRecall: false) }
        let idleAfter = isSoft ? Self.softIdleAfter : Self.idleAfter
        if now - lastUse >= idleAfter, let order = giveBackAll() { return order }
        if let order = giveBackRecalled() { return order }
        if isSoft { return fold(at: now) }
        // What came free since the recall is not kept either.
        if isFrugal(at: now), free > 0 { return giveBack(free) }
        let target = demand.target(of: remaining, liveNodes: liveNodes, at: now)
        idleBeats = free > 2 * target ? idleBeats + 1 : 0
        if idleBeats >= 3 {
            idleBeats = 0
            return giveBack(free - target)
        }
        return fold(at: now)
    }

    private mutating func fold(at now: Uptime) -> LeaseOrder? {
        guard hasSettled, now - lastFold >= Self.foldAfter else { return nil }
        lastFold = now
        hasSettled = false
        return order(.giveBack(units: 0, forget: false), mayRecall: false)
    }

    /// Follows a recall that was heard, as soon as no order is in flight.
    mutating func giveBackRecalled() -> LeaseOrder? {
        guard isRecalled, !orderInFlight, lost == nil else { return nil }
        isRecalled = false
        return free > 0 ? giveBack(free) : nil
    }

    mutating func giveBackAll() -> LeaseOrder? {
        guard !orderInFlight else { return nil }
        guard lost == nil else { return order(.look, mayRecall: false) }
        // While requests are open and nothing is free there is nothing to give.
        guard mayHoldLease, free > 0 || outstanding == 0 else { return nil }
        let units = max(0, free)
        free = 0
        isSwollen = false
        returning = units
        return order(.giveBack(units: units, forget: outstanding == 0), mayRecall: false)
    }

    /// Hears the account's recall generation. The first one heard is the past.
    mutating func recall(to newGeneration: Int64, at now: Uptime) {
        if let generation, generation != newGeneration {
            isRecalled = true
            // A soft quota has enough for all: it is only wanted back lest it be hard by now.
            if !isSoft { frugalUntil = now + Self.frugality }
        }
        generation = newGeneration
    }

    private func isFrugal(at now: Uptime) -> Bool { frugalUntil.map { now < $0 } ?? false }

    private mutating func giveBack(_ units: Int64) -> LeaseOrder {
        free -= units
        isSwollen = isSwollen && free > 0
        returning = units
        return order(.giveBack(units: units, forget: false), mayRecall: false)
    }

    private mutating func order(_ action: LeaseOrder.Action, mayRecall: Bool) -> LeaseOrder {
        orderInFlight = true
        var refreshes = false
        if case .grow = action {
            refreshes = limitChanged
            limitChanged = false
        }
        return LeaseOrder(
            account: account, lease: lease, accountID: accountID, limit: limit,
            refreshesLimit: refreshes, grantedBefore: granted, mayRecall: mayRecall,
            rides: rides && !isSoft,
            action: action)
    }

    // MARK: Replies

    mutating func apply(_ reply: LeaseReply, to order: LeaseOrder, at now: Uptime) {
        orderInFlight = false
        // Without an answer they are still on their way, as far as anybody knows.
        if reply != .unknown { returning = 0 }
        switch reply {
        case .granted(let id, let size, let left, let recalls):
            accountID = id
            leaseRides = leaseRides || order.rides
            // A recall between the first grant and the first beat is heard at that beat.
            generation = generation ?? recalls
            free += size - granted
            granted = size
            hasRow = true
            remaining = left
            refusal = nil
        case .refused(let id, let status):
            accountID = id
            remaining = status.remaining
            refusal = (status, now)
        case .returned(let size, let left):
            if order.forgets { hasRow = false }
            granted = size
            remaining = left
            // What was given back can be had again.
            refusal = nil
            lastFold = now
        case .notReturned(let size):
            takeBack(order)
            granted = size
        case .found(let id, let size, let left):
            found(id, size: size, remaining: left)
        case .failed:
            takeBack(order)
            limitChanged = limitChanged || order.refreshesLimit
        case .unknown:
            if order.action != .look { lost = order.action }
            limitChanged = limitChanged || order.refreshesLimit
        }
    }

    /// Whether a lease of this size, or none, is what the ledger last said, or what it may have said
    /// in the answer that was lost.
    func agrees(with size: Int64?) -> Bool {
        let known = hasRow ? granted : nil
        switch lost {
        case nil, .look: return size == known
        case .grow: return size == known || (size ?? 0) > granted
        case .giveBack(_, forget: true): return size == known || size == nil
        case .giveBack(let units, forget: false):
            // A fold makes it smaller too, by what was settled.
            return size == known || units == 0 && size != nil || size == granted - units
        }
    }

    /// Units that were to be given back and were not are free again.
    private mutating func takeBack(_ order: LeaseOrder) {
        guard case .giveBack(let units, _) = order.action else { return }
        free += units
        isSwollen = isSwollen || !isSoft && free > limit
    }

    /// A lease's size tells whether the lost order was carried out: a grant enlarges it, a return
    /// or its end makes it smaller, and whether a fold happened does not matter.
    private mutating func found(_ id: AccountID?, size: Int64, remaining left: Int64) {
        accountID = id ?? accountID
        if id != nil { remaining = left }
        switch lost {
        case .giveBack(let units, _): if size >= granted { free += units }
        case .grow, .look, nil: free += size - granted
        }
        granted = size
        hasRow = id != nil
        lost = nil
    }
}
