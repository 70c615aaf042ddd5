/// A node's leases: the slices of accounts that it may spend without asking the ledger.
///
/// Pure: events go in (a request, a reply, a settlement, a tick), decisions and orders come out,
/// and the caller brings time, randomness and the lock. A request takes of every account it is
/// subject to, or of none. What a lease lacks is ordered from the ledger, one order per account at
/// a time, for all that wait; those who lack the same account are served in the order they came, see
/// ``LeaseLine``. The safety of quotas does not rest here but on the ledger's row checks; this book
/// is what makes it fast.
public struct LeaseBook: Sendable {
    /// The book's answer to a request.
    public enum Decision: Sendable, Hashable {
        case admitted(Claims)
        case denied(Denial)
        /// The request stands in line; an ``Effects`` will name it.
        case waiting
    }

    /// What an event leads to beyond its own answer.
    public struct Effects: Sendable, Hashable {
        /// Waiters that may run now.
        public var admitted: [RequestID: Claims] = [:]
        /// Waiters that are refused.
        public var denied: [RequestID: Denial] = [:]
        /// Waiters whose answer the ledger could not give.
        public var failed: [RequestID] = []
        /// What to ask of the ledger, one order per account in flight.
        public var orders: [LeaseOrder] = []

        /// Makes effects without any.
        public init() {}
    }

    var slots: [AccountKey: LeaseSlot] = [:]
    private var line = LeaseLine()
    /// Accounts at which somebody left the line, who may have stood before others: looked at by the
    /// next event.
    private var left: Set<AccountKey> = []
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
    public var waitingCount: Int { line.count }

    /// Whether no lease is held and nobody waits.
    public var isEmpty: Bool { line.isEmpty && slots.values.allSatisfy(\.holdsNothing) }

    /// A request arrives.
    public mutating func request(
        _ id: RequestID, _ demands: [Demand], at now: Uptime, _ effects: inout Effects
    ) -> Decision {
        for demand in demands where demand.isOversized { return .denied(Self.oversized(demand)) }
        for demand in demands { prepareSlot(for: demand, at: now) }
        serveWhereSomebodyLeft(at: now, &effects)
        let lacking = demands.first { isShort(of: $0, before: nil, at: now) }
        guard let lacking else {
            let claims = take(demands, at: now)
            prefetch(demands, at: now, &effects)
            return .admitted(claims)
        }
        // A refusal that the ledger gave a moment ago holds for whoever came since.
        let recently = Uptime(microseconds: now.microseconds - Self.refusalMemory.microseconds)
        if let denial = denial(of: demands, notBefore: recently) { return .denied(denial) }
        guard line.count < Self.maximumWaiters else {
            return withoutSoft(demands, before: nil, at: now).map { .admitted($0) }
                ?? .denied(Self.reservedDenial(demands.first { !$0.isSoft } ?? lacking))
        }
        line.join(id, demands, since: now, at: lacking.account)
        for demand in demands { orderShortage(of: demand, at: now, &effects) }
        return .waiting
    }

    /// A request arrives while the ledger is away: it is admitted on what the leases have free, or
    /// denied for good, or nil: only the ledger could tell. Nothing is ordered. A soft quota of which
    /// this node holds nothing is passed over: what it refuses is nothing.
    public mutating func ride(_ demands: [Demand], at now: Uptime) -> Decision? {
        for demand in demands where demand.isOversized { return .denied(Self.oversized(demand)) }
        for demand in demands where demand.rides || demand.isSoft {
            slots[demand.account]?.wanted(demand, at: now)
        }
        for demand in demands where !demand.isSoft {
            guard demand.rides, let slot = slots[demand.account],
                slot.coversRide(demand.units, liveNodes: liveNodes, at: now)
            else { return nil }
        }
        return .admitted(take(demands, at: now))
    }

    /// Whether a request with these claims may go on without the ledger's word: all its leases may
    /// be used up during an outage. A request that no quota limits may.
    public func mayRide(_ claims: Claims) -> Bool {
        claims.allSatisfy { claim in
            guard let slot = slots[claim.account], slot.lease == claim.lease else { return false }
            return slot.mayRide
        }
    }

    /// A waiter leaves the line: its time is up, or its client left. False when it is not in line
    /// any more.
    public mutating func leave(_ id: RequestID) -> Bool {
        guard let account = line.remove(id) else { return false }
        left.insert(account)
        return true
    }

    /// A waiter's time is up. Who lacks nothing but soft quotas leaves the line with the claims of all
    /// others, and goes on; nil for everybody else, who stays.
    public mutating func leaveWithoutSoft(_ id: RequestID, at now: Uptime) -> Claims? {
        guard let waiter = line.waiter(id),
            let claims = withoutSoft(waiter.demands, before: waiter.number, at: now)
        else { return nil }
        _ = leave(id)
        return claims
    }

    /// The ledger answered an order.
    public mutating func replied(
        _ reply: LeaseReply, to order: LeaseOrder, at now: Uptime, _ effects: inout Effects
    ) {
        guard var slot = slots[order.account], slot.lease == order.lease else { return }
        slot.apply(reply, to: order, at: now)
        if order.forgets, case .returned(size: 0, _) = reply, slot.isIdleAndEmpty,
            !line.needs(order.account)
        {
            slots[order.account] = nil
        } else {
            slots[order.account] = slot
        }
        switch reply {
        case .failed, .unknown: failWaiters(at: order.account, now, &effects)
        case .granted, .refused, .returned, .notReturned, .found: break
        }
        serveWhereSomebodyLeft(at: now, &effects)
        serveLine(at: order.account, now, &effects)
        // A recall that came while the order was in flight is followed now, not a beat later.
        if !line.needs(order.account), let more = slots[order.account]?.giveBackRecalled() {
            effects.orders.append(more)
        }
    }

    /// A settlement is durable: the claims end, and what was not charged is free again.
    /// Claims of a lease that is not in the book any more (another epoch's) change nothing.
    public mutating func settled(
        _ claims: Claims, charge: Charge?, at now: Uptime, _ effects: inout Effects
    ) {
        for claim in claims {
            guard var slot = slots[claim.account], slot.lease == claim.lease else { continue }
            slot.release(claim.units, charged: charge?.amount(of: claim.account.resource) ?? 0)
            slots[claim.account] = slot
        }
        guard !line.isEmpty else { return }
        serveWhereSomebodyLeft(at: now, &effects)
        for claim in claims { serveLine(at: claim.account, now, &effects) }
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
        serveWhereSomebodyLeft(at: now, &effects)
        for account in Array(slots.keys) {
            guard var slot = slots[account], !line.needs(account) else { continue }
            if let order = slot.maintain(at: now, liveNodes: liveNodes) {
                effects.orders.append(order)
            }
            // A slot that never got a lease and is not wanted any more has nothing to give back.
            slots[account] = slot.isForgettable(at: now) ? nil : slot
        }
    }

    /// The node stops: everything free goes back, except what open requests hold.
    public mutating func drain(_ effects: inout Effects) {
        effects.failed += line.removeAll()
        left = []
        for account in Array(slots.keys) {
            if let order = slots[account]?.giveBackAll() { effects.orders.append(order) }
        }
    }

    /// The node's epoch ended: no lease of it may be spent again.
    public mutating func reset(_ effects: inout Effects) {
        effects.failed += line.removeAll()
        left = []
        slots = [:]
    }

    /// Whether the ledger's leases of this node, by their sizes, are those that it holds: none is
    /// missing, smaller or larger than its last answer said, or may have said. No order may be under
    /// way.
    public func agrees(with sizes: [LeaseID: Int64]) -> Bool {
        var known: Set<LeaseID> = []
        for slot in slots.values {
            guard slot.agrees(with: sizes[slot.lease]) else { return false }
            known.insert(slot.lease)
        }
        return sizes.keys.allSatisfy { known.contains($0) }
    }

    // MARK: Decisions

    private mutating func prepareSlot(for demand: Demand, at now: Uptime) {
        // Copied out and in again: changing it in place, behind an optional, allocates each time.
        var slot =
            slots[demand.account]
            ?? LeaseSlot(
                account: demand.account, lease: makeLeaseID(), limit: demand.limit, at: now)
        slot.wanted(demand, at: now)
        slots[demand.account] = slot
    }

    /// Whether a request that came before the waiter `number` (nil: after all in line) cannot have
    /// what it needs of an account now: there is too little, or somebody came before it.
    private func isShort(of demand: Demand, before number: UInt64?, at now: Uptime) -> Bool {
        guard let slot = slots[demand.account], slot.suffices(for: demand, at: now) else {
            return true
        }
        guard !line.isEmpty, let head = line.head(at: demand.account) else { return false }
        return number.map { head.number < $0 } ?? true
    }

    /// Takes of every account; each covers its demand, but for soft ones that are passed over.
    private mutating func take(_ demands: [Demand], at now: Uptime) -> Claims {
        var claims = Claims()
        for demand in demands {
            guard var slot = slots[demand.account], !demand.isSoft || slot.covers(demand.units),
                let claim = slot.take(demand.units, at: now)
            else { continue }
            slots[demand.account] = slot
            claims.append(claim)
        }
        return claims
    }

    /// Takes of every account but of soft ones that do not cover their demand; nil, and nothing is
    /// taken, where a hard one is short.
    private mutating func withoutSoft(
        _ demands: [Demand], before number: UInt64?, at now: Uptime
    ) -> Claims? {
        let lacks = demands.contains { !$0.isSoft && isShort(of: $0, before: number, at: now) }
        return lacks ? nil : take(demands, at: now)
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

    /// Serves those who stand at `account`, in their order, after an event that may have changed
    /// what is free there or known of it. Who has enough here and lacks another account moves there.
    private mutating func serveLine(
        at account: AccountKey, _ now: Uptime, _ effects: inout Effects
    ) {
        guard let head = line.head(at: account) else { return }
        // No order is made again so soon after a refusal, so whoever came since has this answer.
        let recently = Uptime(microseconds: now.microseconds - Self.refusalMemory.microseconds)
        let mayRefuse = slots[account]?.hasRefusal ?? false
        // The usual case on a busy account: the first one must wait on, and with it all others.
        if !mayRefuse, !isServed(head, at: account, now) {
            return orderShortage(at: account, now, &effects)
        }
        var still: [LeaseLine.Waiter] = []
        var moved: [Demand] = []
        for waiter in line.take(at: account) {
            let isFirst = still.isEmpty && isServed(waiter, at: account, now)
            let lacking = waiter.demands.first {
                $0.account != account && isShort(of: $0, before: waiter.number, at: now)
            }
            if isFirst, lacking == nil {
                effects.admitted[waiter.id] = take(waiter.demands, at: now)
                line.leave(waiter)
            } else if let denial = denial(
                of: waiter.demands, notBefore: min(waiter.since, recently))
            {
                effects.denied[waiter.id] = denial
                line.leave(waiter)
            } else if isFirst, let lacking {
                line.move(waiter, to: lacking.account)
                moved.append(lacking)
            } else {
                still.append(waiter)
            }
        }
        line.putBack(still, at: account)
        if !still.isEmpty { orderShortage(at: account, now, &effects) }
        for demand in moved { orderShortage(of: demand, at: now, &effects) }
    }

    /// Whether what stands first at an account has there what it needs.
    private func isServed(
        _ waiter: LeaseLine.Waiter, at account: AccountKey, _ now: Uptime
    ) -> Bool {
        guard let slot = slots[account], let demand = waiter.demand(of: account) else {
            return false
        }
        return slot.suffices(for: demand, at: now)
    }

    private mutating func serveWhereSomebodyLeft(at now: Uptime, _ effects: inout Effects) {
        guard !left.isEmpty else { return }
        let accounts = left
        left = []
        for account in accounts { serveLine(at: account, now, &effects) }
    }

    /// Orders, unless an order is in flight, what all who stand in line lack of an account.
    private mutating func orderShortage(
        at account: AccountKey, _ now: Uptime, _ effects: inout Effects
    ) {
        guard let least = line.least(at: account) else { return }
        orderGrowth(of: account, least: least, now, &effects)
    }

    /// Likewise for one demand, whose request may stand elsewhere.
    private mutating func orderShortage(
        of demand: Demand, at now: Uptime, _ effects: inout Effects
    ) {
        let least = min(demand.units, line.least(at: demand.account) ?? .max)
        orderGrowth(of: demand.account, least: least, now, &effects)
    }

    private mutating func orderGrowth(
        of account: AccountKey, least: Int64, _ now: Uptime, _ effects: inout Effects
    ) {
        let order = slots[account]?.orderGrowth(
            for: line.units(of: account), least: least, liveNodes: liveNodes, at: now)
        if let order { effects.orders.append(order) }
    }

    private mutating func prefetch(
        _ demands: [Demand], at now: Uptime, _ effects: inout Effects
    ) {
        for demand in demands {
            guard var slot = slots[demand.account],
                let order = slot.orderPrefetch(liveNodes: liveNodes, at: now)
            else { continue }
            slots[demand.account] = slot
            effects.orders.append(order)
        }
    }

    /// Those who stand at an account that the ledger could not answer for. Who stands elsewhere and
    /// needs it too asks again when its turn comes. Where the quota is soft nobody fails: for a moment
    /// it is passed over, and whoever stands there is served by what else it needs.
    private mutating func failWaiters(
        at account: AccountKey, _ now: Uptime, _ effects: inout Effects
    ) {
        guard slots[account]?.passOver(at: now) != true else { return }
        for waiter in line.take(at: account) {
            effects.failed.append(waiter.id)
            line.leave(waiter)
        }
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
