/// One account's lease as its node sees it. A part of ``LeaseBook``.
struct LeaseSlot: Sendable {
    let account: AccountKey
    let lease: LeaseID
    /// Known once the ledger has answered the first order.
    private(set) var accountID: AccountID?
    private var limit: Int64
    /// Whether the quota lets the node go on while the ledger is away.
    private var rides = true
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
    private var limitChanged = true
    private var lastUse: Uptime
    private var lastFold: Uptime
    private var hasSettled = false
    /// A grant was asked for and its answer never came: the lease may be larger than believed.
    private var isUncertain = false
    private var demand: DemandGauge
    private var idleBeats = 0
    private var generation: Int64?
    private var isRecalled = false
    private var lastRecall: Uptime?

    /// Without a request for this long a lease goes back whole.
    static let idleAfter: Duration = .seconds(10)
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

    private var mayHoldLease: Bool { hasRow || isUncertain }

    func covers(_ units: Int64) -> Bool { free >= units && accountID != nil }

    func isForgettable(at now: Uptime) -> Bool {
        isIdleAndEmpty && holdsNothing && now - lastUse >= Self.idleAfter
    }

    // MARK: Requests

    mutating func wanted(_ units: Int64, limit newLimit: Int64, rides: Bool, at now: Uptime) {
        demand.note(units, at: now)
        self.rides = rides
        demand.windows = rides ? DemandGauge.windowsOfAnOutage : 1
        lastUse = now
        idleBeats = 0
        guard newLimit != limit else { return }
        let (raised, overflow) = remaining.addingReportingOverflow(newLimit - limit)
        remaining = overflow ? newLimit : raised
        limit = newLimit
        limitChanged = true
        refusal = nil
    }

    /// Whether `units` may be taken while the ledger is away: the quota says so, the ledger knows,
    /// and the account is not near its end.
    func coversRide(_ units: Int64, liveNodes: Int64) -> Bool {
        covers(units) && mayRide && demand.target(of: remaining, liveNodes: liveNodes) > 0
    }

    /// Whether a request that holds a claim of this lease may go on without the ledger's word.
    var mayRide: Bool { rides && leaseRides }

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
    }

    /// Why `units` cannot be had, if an answer not older than `instant` says so.
    func denial(of units: Int64, notBefore instant: Uptime) -> Denial? {
        guard !covers(units), let refusal, refusal.at >= instant,
            units > free + max(0, refusal.status.remaining)
        else { return nil }
        return refusal.status.denial(of: units, account: account)
    }

    // MARK: Orders

    /// Orders what waiters lack: all of it, and up to the target, so that the next ones need not
    /// wait.
    mutating func orderGrowth(
        for sum: Int64, least: Int64, liveNodes: Int64, at now: Uptime
    ) -> LeaseOrder? {
        guard !orderInFlight, sum > free || accountID == nil else { return nil }
        let shortage = max(1, sum - free)
        let enough = max(1, min(shortage, least - free))
        // Asked a moment ago: the answer would be the same, over and over.
        if let refusal, now - refusal.at < LeaseBook.refusalMemory,
            refusal.status.remaining < enough
        {
            return nil
        }
        let mayRecall = lastRecall.map { now - $0 >= .seconds(1) } ?? true
        if mayRecall { lastRecall = now }
        let want = max(shortage, demand.target(of: remaining, liveNodes: liveNodes) - free)
        return order(.grow(want: want, least: enough), mayRecall: mayRecall)
    }

    /// Orders ahead of need once half the target is gone, unless the account is near its end, where
    /// each request orders exactly what it needs.
    mutating func orderPrefetch(liveNodes: Int64) -> LeaseOrder? {
        guard !orderInFlight, !isRecalled else { return nil }
        let target = demand.target(of: remaining, liveNodes: liveNodes)
        guard target > 0, free < target / 2 else { return nil }
        return order(.grow(want: target - free, least: 1), mayRecall: false)
    }

    mutating func maintain(at now: Uptime, liveNodes: Int64) -> LeaseOrder? {
        guard !orderInFlight else { return nil }
        guard accountID != nil else { return giveBackAll() }
        if now - lastUse >= Self.idleAfter, outstanding == 0, mayHoldLease {
            return giveBackAll()
        }
        // The end of the lease tells what it really held.
        if isUncertain, outstanding == 0 { return giveBackAll() }
        let target = demand.target(of: remaining, liveNodes: liveNodes)
        if isRecalled {
            isRecalled = false
            if free > 0 { return giveBack(free) }
        }
        idleBeats = free > 2 * target && free > 0 ? idleBeats + 1 : 0
        if idleBeats >= 3, free > target {
            idleBeats = 0
            return giveBack(free - target)
        }
        if hasSettled, now - lastFold >= Self.foldAfter {
            lastFold = now
            hasSettled = false
            return order(.giveBack(units: 0, forget: false), mayRecall: false)
        }
        return nil
    }

    mutating func giveBackAll() -> LeaseOrder? {
        // The first grant's answer was lost: asking once more tells the account, and what the lease
        // holds.
        if accountID == nil, isUncertain, !orderInFlight {
            return order(.grow(want: 1, least: 1), mayRecall: false)
        }
        // While requests are open and nothing is free there is nothing to give.
        guard !orderInFlight, accountID != nil, mayHoldLease, free > 0 || outstanding == 0 else {
            return nil
        }
        let units = max(0, free)
        free = 0
        return order(.giveBack(units: units, forget: outstanding == 0), mayRecall: false)
    }

    mutating func recall(to newGeneration: Int64) {
        if let generation, generation != newGeneration { isRecalled = true }
        generation = newGeneration
    }

    private mutating func giveBack(_ units: Int64) -> LeaseOrder {
        free -= units
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
            refreshesLimit: refreshes, grantedBefore: granted, mayRecall: mayRecall, rides: rides,
            action: action)
    }

    // MARK: Replies

    mutating func apply(_ reply: LeaseReply, to order: LeaseOrder, at now: Uptime) {
        orderInFlight = false
        switch reply {
        case .granted(let id, let size, let left):
            accountID = id
            leaseRides = leaseRides || order.rides
            free += size - granted
            granted = size
            hasRow = true
            remaining = left
            refusal = nil
            isUncertain = false
        case .refused(let id, let status):
            accountID = id
            remaining = status.remaining
            refusal = (status, now)
        case .returned(let size, let left):
            if order.forgets {
                isUncertain = false
                hasRow = false
            }
            granted = size
            remaining = left
            lastFold = now
        case .notReturned(let size):
            if case .giveBack(let units, _) = order.action { free += units }
            granted = size
        case .failed:
            if case .giveBack(let units, _) = order.action { free += units }
            limitChanged = limitChanged || order.refreshesLimit
        case .unknown:
            // Nothing is believed to be free that may not be; the end of the lease sets it right.
            isUncertain = true
            limitChanged = limitChanged || order.refreshesLimit
        }
    }
}

/// How fast an account is used on this node, in whole numbers and without a history.
struct DemandGauge: Sendable {
    /// Units admitted in about the last two seconds: decays linearly, which is close enough to an
    /// exponential.
    private var recent: Int64 = 0
    private var largest: Int64 = 0
    private var last: Uptime
    private static let window: Int64 = 2_000_000
    /// How many windows of demand to hold. A lease of two seconds' demand rides out no outage.
    var windows: Int64 = 1
    /// A minute, which is as long as a node may go on alone.
    static let windowsOfAnOutage: Int64 = 30

    init(at now: Uptime) { last = now }

    mutating func note(_ units: Int64, at now: Uptime) {
        let elapsed = min(max(0, now.microseconds - last.microseconds), Self.window)
        recent = Int64(Int128(recent) * Int128(Self.window - elapsed) / Int128(Self.window))
        recent = min(recent + units, 1 << 50)
        largest = max(units, largest - largest / 16)
        last = now
    }

    /// How much the node should hold: two seconds of demand, or a minute of it for a quota that
    /// rides out outages; at least one large request, at most its share of half of what is left, so
    /// that no node takes the end of a budget. Zero near the end: each request then orders for
    /// itself.
    func target(of remaining: Int64, liveNodes: Int64) -> Int64 {
        let left = max(0, remaining)
        guard left >= 4 * liveNodes * largest else { return 0 }
        return min(max(recent * windows, largest), left / (2 * liveNodes))
    }
}
