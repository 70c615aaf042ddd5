/// A node's leases: the slices of accounts that it may spend without asking the ledger.
///
/// Pure: events go in (a request, a reply, a settlement, a tick), decisions and orders come out,
/// and the caller brings time, randomness and the lock. A request takes of every account it is
/// subject to, or of none. What a lease lacks is ordered from the ledger, one order per account at
/// a time, for all that wait; waiters are served in the order they came. The safety of quotas does
/// not rest here but on the ledger's row checks; this book is what makes it fast.
public struct LeaseBook: Sendable {
    /// One account a request is subject to, and what it needs of it.
    public struct Demand: Sendable, Hashable {
        /// The account asked of.
        public let account: AccountKey
        /// The quota's limit as the directory says.
        public let limit: Int64
        /// Tokens, requests or nano-dollars needed.
        public let units: Int64
        /// Whether the quota lets the node go on while the ledger is away.
        public let rides: Bool

        /// Makes a demand.
        public init(account: AccountKey, limit: Int64, units: Int64, rides: Bool = true) {
            self.account = account
            self.limit = limit
            self.units = units
            self.rides = rides
        }
    }

    /// The book's answer to a request.
    public enum Decision: Sendable, Hashable {
        case admitted([Claim])
        case denied(Denial)
        /// The request stands in line; an ``Effects`` will name it.
        case waiting
    }

    /// What an event leads to beyond its own answer.
    public struct Effects: Sendable, Hashable {
        /// Waiters that may run now.
        public var admitted: [RequestID: [Claim]] = [:]
        /// Waiters that are refused.
        public var denied: [RequestID: Denial] = [:]
        /// Waiters whose answer the ledger could not give.
        public var failed: [RequestID] = []
        /// What to ask of the ledger, one order per account in flight.
        public var orders: [LeaseOrder] = []

        /// Makes effects without any.
        public init() {}
    }

    private struct Waiter {
        let id: RequestID
        let demands: [Demand]
        let since: Uptime
    }

    private(set) var slots: [AccountKey: LeaseSlot] = [:]
    private var waiters: [Waiter] = []
    private let makeLeaseID: @Sendable () -> LeaseID
    /// Live nodes of the ledger, this one included, as the last heartbeat said.
    public var liveNodes: Int64 = 1

    /// The most requests that may stand in line; beyond it a request is refused as retryable.
    public static let maximumWaiters = 4096

    /// How long a refusal is remembered, so that a flood on an exhausted quota does not become a
    /// flood of look-ups.
    static let refusalMemory: Duration = .milliseconds(100)

    /// Makes an empty book. `makeLeaseID` gives 63 random bits.
    public init(makeLeaseID: @escaping @Sendable () -> LeaseID) { self.makeLeaseID = makeLeaseID }

    /// How many requests stand in line.
    public var waitingCount: Int { waiters.count }

    /// Whether no lease is held and nobody waits.
    public var isEmpty: Bool { waiters.isEmpty && slots.values.allSatisfy(\.holdsNothing) }

    /// A request arrives.
    public mutating func request(
        _ id: RequestID, _ demands: [Demand], at now: Uptime, _ effects: inout Effects
    ) -> Decision {
        for demand in demands {
            if demand.units > demand.limit { return .denied(Self.oversized(demand)) }
        }
        for demand in demands { prepareSlot(for: demand, at: now) }
        if waiters.isEmpty || !isAnyoneWaiting(for: demands), let claims = take(demands, at: now) {
            prefetch(demands, at: now, &effects)
            return .admitted(claims)
        }
        // A refusal that the ledger gave a moment ago holds for whoever came since.
        let recently = Uptime(microseconds: now.microseconds - Self.refusalMemory.microseconds)
        if let denial = denial(of: demands, notBefore: recently) { return .denied(denial) }
        guard waiters.count < Self.maximumWaiters else {
            return .denied(Self.reservedDenial(demands[0]))
        }
        waiters.append(Waiter(id: id, demands: demands, since: now))
        orderShortages(at: now, &effects)
        return .waiting
    }

    /// A request arrives while the ledger is away: it is admitted on what the leases have free, or
    /// denied for good, or nil: only the ledger could tell. Nothing is ordered.
    public mutating func ride(_ demands: [Demand], at now: Uptime) -> Decision? {
        for demand in demands where demand.units > demand.limit {
            return .denied(Self.oversized(demand))
        }
        for demand in demands where demand.rides {
            slots[demand.account]?.wanted(
                demand.units, limit: demand.limit, rides: true, at: now)
        }
        for demand in demands {
            guard demand.rides, let slot = slots[demand.account],
                slot.coversRide(demand.units, liveNodes: liveNodes, at: now)
            else { return nil }
        }
        return take(demands, at: now).map(Decision.admitted)
    }

    /// Whether a request with these claims may go on without the ledger's word: all its leases may
    /// be used up during an outage. A request that no quota limits may.
    public func mayRide(_ claims: [Claim]) -> Bool {
        claims.allSatisfy { claim in
            guard let slot = slots[claim.account], slot.lease == claim.lease else { return false }
            return slot.mayRide
        }
    }

    /// A waiter leaves the line: its time is up, or its client left. False when it is not in line
    /// any more.
    public mutating func leave(_ id: RequestID) -> Bool {
        guard let index = waiters.firstIndex(where: { $0.id == id }) else { return false }
        waiters.remove(at: index)
        return true
    }

    /// The ledger answered an order.
    public mutating func replied(
        _ reply: LeaseReply, to order: LeaseOrder, at now: Uptime, _ effects: inout Effects
    ) {
        guard var slot = slots[order.account], slot.lease == order.lease else { return }
        slot.apply(reply, to: order, at: now)
        if order.forgets, case .returned(size: 0, _) = reply, slot.isIdleAndEmpty,
            !isAnyoneWaiting(for: order.account)
        {
            slots[order.account] = nil
        } else {
            slots[order.account] = slot
        }
        switch reply {
        case .failed, .unknown: failWaiters(for: order.account, &effects)
        case .granted, .refused, .returned, .notReturned, .found: break
        }
        serveLine(at: now, &effects)
        // A recall that came while the order was in flight is followed now, not a beat later.
        if !isAnyoneWaiting(for: order.account),
            let more = slots[order.account]?.giveBackRecalled()
        {
            effects.orders.append(more)
        }
    }

    /// A settlement is durable: the claims end, and what was not charged is free again.
    /// Claims of a lease that is not in the book any more (another epoch's) change nothing.
    public mutating func settled(
        _ claims: [Claim], charge: Charge?, at now: Uptime, _ effects: inout Effects
    ) {
        for claim in claims {
            guard var slot = slots[claim.account], slot.lease == claim.lease else { continue }
            slot.release(claim.units, charged: charge?.amount(of: claim.account.resource) ?? 0)
            slots[claim.account] = slot
        }
        if !waiters.isEmpty { serveLine(at: now, &effects) }
    }

    /// The heartbeat brought the recall generations of accounts that this node holds leases of.
    /// ``maintain(at:_:)`` follows them.
    public mutating func recalled(_ generations: [AccountID: Int64], at now: Uptime) {
        for (account, slot) in slots {
            guard let id = slot.accountID, let generation = generations[id] else { continue }
            slots[account]?.recall(to: generation, at: now)
        }
    }

    /// A tick, once a second: gives back what is not needed and folds what is settled.
    public mutating func maintain(at now: Uptime, _ effects: inout Effects) {
        for account in Array(slots.keys) {
            guard var slot = slots[account], !isAnyoneWaiting(for: account) else { continue }
            if let order = slot.maintain(at: now, liveNodes: liveNodes) {
                effects.orders.append(order)
            }
            // A slot that never got a lease and is not wanted any more has nothing to give back.
            slots[account] = slot.isForgettable(at: now) ? nil : slot
        }
    }

    /// The node stops: everything free goes back, except what open requests hold.
    public mutating func drain(_ effects: inout Effects) {
        effects.failed += waiters.map(\.id)
        waiters = []
        for account in Array(slots.keys) {
            if let order = slots[account]?.giveBackAll() { effects.orders.append(order) }
        }
    }

    /// The node's epoch ended: no lease of it may be spent again.
    public mutating func reset(_ effects: inout Effects) {
        effects.failed += waiters.map(\.id)
        waiters = []
        slots = [:]
    }

    /// What is left of a quota as far as this node knows: its own free units and what the ledger
    /// last had.
    public func remaining(of account: AccountKey) -> Int64? {
        slots[account].map { $0.free + max(0, $0.remaining) }
    }

    // MARK: Decisions

    private mutating func prepareSlot(for demand: Demand, at now: Uptime) {
        if slots[demand.account] == nil {
            slots[demand.account] = LeaseSlot(
                account: demand.account, lease: makeLeaseID(), limit: demand.limit, at: now)
        }
        slots[demand.account]?.wanted(
            demand.units, limit: demand.limit, rides: demand.rides, at: now)
    }

    /// Takes of every account, or of none.
    private mutating func take(_ demands: [Demand], at now: Uptime) -> [Claim]? {
        for demand in demands {
            guard let slot = slots[demand.account], slot.covers(demand.units) else { return nil }
        }
        var claims: [Claim] = []
        claims.reserveCapacity(demands.count)
        for demand in demands {
            guard let claim = slots[demand.account]?.take(demand.units, at: now) else { continue }
            claims.append(claim)
        }
        return claims
    }

    /// The refusal of the first account that cannot cover its demand and whose last answer, not
    /// older than `instant`, says that the ledger has no more either.
    private func denial(of demands: [Demand], notBefore instant: Uptime) -> Denial? {
        for demand in demands {
            if let denial = slots[demand.account]?.denial(of: demand.units, notBefore: instant) {
                return denial
            }
        }
        return nil
    }

    /// Serves the line in order after an event that may have changed what is free or known.
    private mutating func serveLine(at now: Uptime, _ effects: inout Effects) {
        // No order is made again so soon after a refusal, so whoever came since has this answer.
        let recently = Uptime(microseconds: now.microseconds - Self.refusalMemory.microseconds)
        var still: [Waiter] = []
        let line = waiters
        waiters = []
        var blocked: Set<AccountKey> = []
        for waiter in line {
            let overtakes = waiter.demands.contains { blocked.contains($0.account) }
            if !overtakes, let claims = take(waiter.demands, at: now) {
                effects.admitted[waiter.id] = claims
            } else if let denial = denial(
                of: waiter.demands, notBefore: min(waiter.since, recently))
            {
                effects.denied[waiter.id] = denial
            } else {
                blocked.formUnion(waiter.demands.map(\.account))
                still.append(waiter)
            }
        }
        waiters = still
        if !still.isEmpty { orderShortages(at: now, &effects) }
    }

    /// Orders, for every account in short supply and without an order in flight, what all its
    /// waiters lack.
    private mutating func orderShortages(at now: Uptime, _ effects: inout Effects) {
        var wanted: [AccountKey: (sum: Int64, least: Int64)] = [:]
        for waiter in waiters {
            for demand in waiter.demands {
                let (sum, least) = wanted[demand.account] ?? (0, .max)
                // Far above any limit, and far from overflow.
                wanted[demand.account] = (
                    min(sum + demand.units, 1 << 60), min(least, demand.units)
                )
            }
        }
        for (account, need) in wanted {
            guard
                let order = slots[account]?.orderGrowth(
                    for: need.sum, least: need.least, liveNodes: liveNodes, at: now)
            else { continue }
            effects.orders.append(order)
        }
    }

    private mutating func prefetch(
        _ demands: [Demand], at now: Uptime, _ effects: inout Effects
    ) {
        for demand in demands {
            if let order = slots[demand.account]?.orderPrefetch(liveNodes: liveNodes, at: now) {
                effects.orders.append(order)
            }
        }
    }

    private mutating func failWaiters(for account: AccountKey, _ effects: inout Effects) {
        for waiter in waiters where waiter.demands.contains(where: { $0.account == account }) {
            effects.failed.append(waiter.id)
        }
        waiters.removeAll { waiter in waiter.demands.contains { $0.account == account } }
    }

    private func isAnyoneWaiting(for demands: [Demand]) -> Bool {
        waiters.contains { waiter in
            waiter.demands.contains { theirs in demands.contains { $0.account == theirs.account } }
        }
    }

    private func isAnyoneWaiting(for account: AccountKey) -> Bool {
        waiters.contains { $0.demands.contains { $0.account == account } }
    }

    private static func reservedDenial(_ demand: Demand) -> Denial {
        denial(.quotaReserved, demand, retryAfter: .seconds(1))
    }

    /// No state of the ledger lets such a request pass, so it is not asked.
    private static func oversized(_ demand: Demand) -> Denial {
        denial(.exceedsLimit, demand, retryAfter: nil)
    }

    private static func denial(
        _ reason: Denial.Reason, _ demand: Demand, retryAfter: Duration?
    ) -> Denial {
        Denial(
            reason: reason, subject: demand.account.subject,
            resource: demand.account.resource, period: demand.account.period, limit: demand.limit,
            used: nil, reserved: nil, requested: demand.units, retryAfter: retryAfter,
            resetsAt: demand.account.period.end(of: demand.account.start))
    }
}
