/// One shared bucket as its node sees it. A part of ``RateBook``.
struct RateSlot: Sendable {
    /// Cells of one lease, dead from `expiry` on.
    private struct Lot {
        var cells: Int64 = 0
        var expiry = Uptime(microseconds: .min)

        func alive(at now: Uptime) -> Int64 { expiry > now ? cells : 0 }
    }

    let bucket: RateBucket
    /// Per minute, as the directory says.
    private var limit: Int64
    /// Taken from first. Both are kept until a lease replaces them.
    private var older = Lot()
    private var newer = Lot()
    /// Later than any take before it, so that it tells which cells are of lots that are here still.
    private var lastLease = Uptime(microseconds: .min)
    /// The bucket as the ledger last said, running on by this node's clock; nil before that.
    private var ledger: GCRA?
    private var lastAnswer = Uptime(microseconds: .min)
    /// The ledger gave less than was asked for, or its last cell.
    private var wasExhausted = false
    private var isLifted = false
    /// Cells to be credited with the next order; negative: to be debited.
    private(set) var credit: Int64 = 0
    private(set) var isOrdered = false
    /// Whether the book has noted to lease ahead from it.
    var awaitsPrefetch = false
    private var demand: RateDemand
    /// This node's part of the limit while the ledger is away, and what it has passed of it.
    private var share: GCRA?
    private var passedOfShare: Int64 = 0
    private var passedWhenOrdered: Int64 = 0
    private var lastTake = Uptime(microseconds: .min)
    private var lastUse: Uptime

    init(_ limit: RateLimit, at now: Uptime) {
        bucket = RateBucket(subject: limit.subject, dimension: limit.dimension)
        self.limit = limit.limit
        demand = RateDemand(at: now)
        lastUse = now
    }

    /// The directory's limit. What the ledger said of another one means nothing any more.
    mutating func follow(_ newLimit: Int64) {
        guard newLimit != limit else { return }
        limit = newLimit
        ledger = nil
        isLifted = false
        share = nil
    }

    /// Whether what the slot knows is of another limit than `limit`.
    func isOf(another limit: RateLimit) -> Bool { self.limit != limit.limit }

    // MARK: Cells

    /// Cells that may be used now.
    func held(at now: Uptime) -> Int64 { older.alive(at: now) + newer.alive(at: now) }

    func covers(_ cells: Int64, of limit: Int64, at now: Uptime) -> Bool {
        guard limit == self.limit else { return false }
        return held(at: now) >= cells
            || (isLifted && now - lastAnswer < RateBook.liftedFor)
    }

    /// Uses cells that ``covers(_:of:at:)`` has seen.
    mutating func take(_ cells: Int64, at now: Uptime) {
        demand.note(cells, at: now)
        lastTake = now
        lastUse = now
        let first = min(cells, older.alive(at: now))
        older.cells -= first
        newer.cells -= min(cells - first, newer.alive(at: now))
    }

    /// Cells taken at `taken` were not used after all: back to where they came from, or to a lot
    /// that dies earlier. When neither is certain, back to the ledger.
    mutating func putBack(_ cells: Int64, takenAt taken: Uptime, at now: Uptime) {
        if lastLease <= taken, older.expiry > now {
            older.cells += cells
        } else {
            credit += cells
        }
    }

    mutating func giveCredit(_ cells: Int64) { credit += cells }

    /// How long `cells` have to wait, as far as is known without asking; nil when asking may help.
    /// `isNew`: nobody has asked for them yet.
    func wait(for cells: Int64, isNew: Bool, nodes: Int64, at now: Uptime) -> Duration? {
        guard var bucket = ledger else { return nil }
        if credit > 0 { bucket.giveBack(credit, at: now) }
        let age = now - lastAnswer
        switch bucket.decide(cells - held(at: now), at: now) {
        case .pass:
            let pause = RateBook.pace - age
            return isNew && wasExhausted && pause > .zero ? pause : nil
        case .wait(let wait):
            // Only a node's credit frees tokens before their time. Others may have given some.
            let isCertain = nodes == 1 || self.bucket.dimension == .requestsPerMinute
            return isCertain || age < RateBook.refusalMemory ? wait : nil
        case .never:
            // The ledger knows a lower limit than the directory's copy, which follows soon.
            return age < RateBook.refusalMemory ? GCRA.burst : nil
        }
    }

    // MARK: Orders

    /// How many cells to hold: a second of demand, and at most this node's share of half of what is
    /// left, so that no node takes the end of a limit. None for small limits, for rare requests,
    /// and near the end: there each request is ordered for.
    private func target(nodes: Int64, at now: Uptime) -> Int64 {
        guard demand.isSteady, let ledger, !isSmall(nodes) else { return 0 }
        let share = ledger.remaining(at: now) / (2 * nodes)
        return share < demand.largest ? 0 : min(demand.recent(at: now), share)
    }

    private func isSmall(_ nodes: Int64) -> Bool {
        bucket.dimension == .requestsPerMinute && limit <= 60 * nodes
    }

    func wantsPrefetch(nodes: Int64, at now: Uptime) -> Bool {
        guard !isOrdered, demand.isSteady else { return false }
        let held = held(at: now)
        return held < demand.recent(at: now) / 2 && held < target(nodes: nodes, at: now) / 2
    }

    /// Whether the ledger has something to hear of even if nobody waits.
    var hasNews: Bool { credit != 0 || share != nil }

    /// Orders what waiters lack, `sum` for all and `least` for one of them, and what is to be held.
    mutating func order(sum: Int64, least: Int64, nodes: Int64, at now: Uptime) -> RateOrder {
        let held = held(at: now)
        let missing = max(0, sum - held)
        let want = min(missing + max(0, target(nodes: nodes, at: now) - max(0, held - sum)), limit)
        var balance = credit
        if let share {
            // What has drained meanwhile is owed no more.
            let used = max(1, limit / nodes) - share.remaining(at: now)
            balance -= min(passedOfShare, max(0, used))
        }
        passedWhenOrdered = passedOfShare
        credit = 0
        isOrdered = true
        return RateOrder(
            bucket: bucket, want: want, least: missing > 0 ? max(1, min(least - held, want)) : 1,
            credit: balance)
    }

    mutating func apply(_ reply: RateReply, to order: RateOrder, at now: Uptime) {
        isOrdered = false
        lastAnswer = now
        credit -= passedOfShare - passedWhenOrdered
        share = nil
        passedOfShare = 0
        passedWhenOrdered = 0
        switch reply {
        case .lifted:
            isLifted = true
            ledger = nil
            credit = 0
        case .answered(let granted, let limit, let level, let asked):
            isLifted = false
            // Later than the ledger meant by the way of the answer: no wait is told too short.
            ledger = GCRA(perMinute: limit, shares: 1, level: level, at: now)
            wasExhausted = granted < order.want || ledger?.decide(1, at: now) != .pass
            // Counted from before the ledger's clock was read: no cell outlives its time.
            let expiry = asked + RateBook.lifetime
            guard granted > 0, expiry > now else { return }
            lastLease = lastTake < now ? now : lastTake + .microseconds(1)
            store(Lot(cells: granted, expiry: expiry), at: now)
        }
    }

    private mutating func store(_ lot: Lot, at now: Uptime) {
        if older.alive(at: now) == 0 {
            older = newer.alive(at: now) > 0 ? newer : lot
            newer = newer.alive(at: now) > 0 ? lot : Lot()
        } else if newer.alive(at: now) == 0 {
            newer = lot
        } else {
            newer = Lot(cells: newer.cells + lot.cells, expiry: newer.expiry)
        }
    }

    /// The order was not carried out; or, when that is not certain, its credit counts as lost.
    mutating func failed(_ order: RateOrder, isCertain: Bool) {
        isOrdered = false
        if isCertain, share == nil { credit += order.credit }
    }

    // MARK: Without the ledger

    /// How long `cells` have to wait by this node's part of the limit; nil when they may pass.
    mutating func waitByShare(for cells: Int64, nodes: Int64, at now: Uptime) -> Duration? {
        let level = ledger?.reset(at: now) ?? .zero
        let part = share ?? GCRA(perMinute: limit, shares: nodes, level: level, at: now)
        share = part
        // A request larger than the part passes when nothing of it is used, or it never would.
        if part.isFull(at: now) { return nil }
        return switch part.decide(cells, at: now) {
        case .pass: nil
        case .wait(let wait): wait
        case .never: part.reset(at: now)
        }
    }

    mutating func takeOfShare(_ cells: Int64, at now: Uptime) {
        lastUse = now
        share?.take(cells, at: now)
        passedOfShare += cells
    }

    mutating func giveBackToShare(_ cells: Int64, at now: Uptime) {
        // The ledger is back: what it was told of stays debited.
        guard share != nil else { return }
        share?.giveBack(cells, at: now)
        passedOfShare = max(0, passedOfShare - cells)
    }

    // MARK: What is known

    func line(of limit: Int64, at now: Uptime) -> Standing.Line {
        var bucket = share ?? ledger ?? GCRA(perMinute: limit)
        let unused = held(at: now) + credit
        if unused > 0 { bucket.giveBack(unused, at: now) }
        return Standing.Line(
            limit: limit, remaining: bucket.remaining(at: now), reset: bucket.reset(at: now))
    }

    /// Whether nothing would be lost by forgetting the slot.
    func isForgettable(at now: Uptime) -> Bool {
        !isOrdered && credit == 0 && share == nil && held(at: now) == 0
            && now - lastUse >= RateBook.liftedFor && (ledger?.isFull(at: now) ?? true)
    }
}

/// How fast a bucket is used on this node, in whole numbers and without a history.
struct RateDemand: Sendable {
    /// Thousandths of cells used in about the last second: decays linearly, which is close enough
    /// to an exponential. At most 2^42, so that its product with the window stays below 2^63.
    private var sum: Int64 = 0
    /// The largest request of late; at least 1.
    private(set) var largest: Int64 = 1
    private var last: Uptime
    private static let window: Int64 = 1_000_000

    init(at now: Uptime) { last = now }

    mutating func note(_ cells: Int64, at now: Uptime) {
        sum = min(decayed(at: now) + min(cells, 1 << 32) * 1000, 1 << 42)
        largest = max(cells, largest - largest / 16, 1)
        last = now
    }

    /// Cells used in about the second before `now`.
    func recent(at now: Uptime) -> Int64 { decayed(at: now) / 1000 }

    /// Whether requests come so often that cells ordered ahead are likely to be used.
    var isSteady: Bool { sum / 4000 >= largest }

    private func decayed(at now: Uptime) -> Int64 {
        let elapsed = min(max(0, now.microseconds - last.microseconds), Self.window)
        return sum * (Self.window - elapsed) / Self.window
    }
}
