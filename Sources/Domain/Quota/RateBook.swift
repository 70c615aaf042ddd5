/// The rate limits of one node: cells of buckets that it shares with the other nodes of its ledger
/// (GCRA, leased).
///
/// Pure: events go in, decisions and orders come out, and the caller brings time and the lock. A
/// request passes all its limits or takes of none. Cells are leased for ``lifetime`` and die
/// unused after it, so that in any window `w` all nodes together pass at most
/// `burst + rate × (w + lifetime)`. A request counts at its bound when it passes, and what it did
/// not use counts as given back when it ends. Small limits, rare requests and buckets near their
/// end lease exactly what is asked for; what is used all the time is leased ahead. Concurrent
/// requests are each node's own count. While the ledger is away, every node passes its equal part
/// of the limit.
public struct RateBook: Sendable {
    /// What a passed request took, to be given back when it ends.
    public struct Ticket: Sendable, Hashable {
        let limits: [RateLimit]
        let tokens: Int64
        let taken: Uptime
        /// Passed without the ledger.
        let isOfShare: Bool

        /// The cells that a limit takes of a request.
        func cells(of limit: RateLimit) -> Int64 { RateBook.cells(of: limit, tokens: tokens) }
    }

    /// The book's answer to a request.
    public enum Decision: Sendable, Hashable {
        case passed(Ticket)
        case denied(Denial)
        /// The request stands in line; an ``Effects`` will name it.
        case waiting
        /// Too many stand in line already.
        case overloaded
    }

    /// What an event leads to beyond its own answer.
    public struct Effects: Sendable, Hashable {
        /// Waiters that passed.
        public var passed: [RequestID: Ticket] = [:]
        /// Waiters that are refused.
        public var denied: [RequestID: Denial] = [:]
        /// What to ask of the ledger, in one transaction. One such list is in flight at a time.
        public var orders: [RateOrder] = []

        /// Makes effects without any.
        public init() {}
    }

    struct Waiter {
        let id: RequestID
        let limits: [RateLimit]
        let tokens: Int64
        let since: Uptime
    }

    var slots: [RateBucket: RateSlot] = [:]
    var running: [Subject: Int64] = [:]
    var waiters: [Waiter] = []
    /// Buckets to lease ahead from.
    var prefetches: [RateBucket] = []
    var isOrdering = false
    /// Whether the ledger does not answer: nothing waits for it then.
    public internal(set) var isAway = false
    var lastOrder = Uptime(microseconds: .min)
    /// Whether the ledger should hear of credits although nobody waits.
    var newsAreDue = false
    var lastTidying = Uptime(microseconds: .min)
    /// Live nodes of the ledger, this one included, as the last heartbeat said.
    public var liveNodes: Int64 = 1
    private let patience: Duration

    /// How long a leased cell lives.
    public static let lifetime: Duration = .seconds(1)
    /// The most requests that may stand in line.
    public static let maximumWaiters = 4096
    /// How long a refusal holds that another node's credit may have overtaken.
    static let refusalMemory: Duration = .milliseconds(250)
    /// The least time between two questions about an exhausted bucket.
    static let pace: Duration = .milliseconds(25)
    /// How long the word that a limit is gone holds against a directory's copy that has it still.
    static let liftedFor: Duration = .seconds(2)
    /// The most buckets of one transaction.
    static let batchLimit = 64

    /// Makes a book that knows nothing. A request stands in line for `patience` at most; then the
    /// ledger counts as away.
    public init(patience: Duration) { self.patience = patience }

    /// Decides over every limit of `limits` for one request of `tokens`, and takes of all or none.
    public mutating func admit(
        _ id: RequestID, _ limits: [RateLimit], tokens: Int64, at now: Uptime,
        _ effects: inout Effects
    ) -> Decision {
        guard !limits.isEmpty else {
            return .passed(Ticket(limits: limits, tokens: tokens, taken: now, isOfShare: false))
        }
        var isCovered = true
        for limit in limits {
            switch verdict(limit, tokens: tokens, isNew: true, at: now) {
            case .covered: break
            case .short: isCovered = false
            case .denied(let denial): return .denied(denial)
            }
        }
        if isCovered {
            let ticket = take(limits, tokens: tokens, at: now)
            if !prefetches.isEmpty { sendOrders(at: now, &effects) }
            return .passed(ticket)
        }
        if isAway { return decideByShare(limits, tokens: tokens, at: now) }
        guard waiters.count < Self.maximumWaiters else { return .overloaded }
        waiters.append(Waiter(id: id, limits: limits, tokens: tokens, since: now))
        sendOrders(at: now, &effects)
        return .waiting
    }

    /// A waiter leaves the line: its client left. False when it is not in line any more.
    public mutating func leave(_ id: RequestID) -> Bool {
        guard let index = waiters.firstIndex(where: { $0.id == id }) else { return false }
        waiters.remove(at: index)
        return true
    }

    /// Ends a passed request that used `tokens`: its place comes free and the tokens it did not use
    /// are credited.
    public mutating func finish(_ ticket: Ticket, used tokens: Int64, at now: Uptime) {
        for limit in ticket.limits {
            switch limit.dimension {
            case .concurrentRequests: release(limit.subject)
            case .requestsPerMinute: break
            case .tokensPerMinute:
                let unused = ticket.tokens - tokens
                guard unused > 0 else { continue }
                change(limit, at: now) { slot in
                    if ticket.isOfShare {
                        slot.giveBackToShare(unused, at: now)
                    } else {
                        slot.giveCredit(unused)
                    }
                }
            }
        }
    }

    /// Undoes a passed request that was refused elsewhere and never ran.
    public mutating func undo(_ ticket: Ticket, at now: Uptime) {
        for limit in ticket.limits {
            guard limit.dimension != .concurrentRequests else { release(limit.subject); continue }
            change(limit, at: now) { slot in
                if ticket.isOfShare {
                    slot.giveBackToShare(ticket.cells(of: limit), at: now)
                } else {
                    slot.putBack(ticket.cells(of: limit), takenAt: ticket.taken, at: now)
                }
            }
        }
    }

    /// What is left of a limit as far as this node knows; nil for concurrency, which has no header.
    public func standing(of limit: RateLimit, at now: Uptime) -> Standing.Line? {
        guard limit.dimension != .concurrentRequests else { return nil }
        guard let slot = slots[Self.bucket(of: limit)] else {
            return Standing.Line(limit: limit.limit, remaining: limit.limit, reset: .zero)
        }
        return slot.line(of: limit.limit, at: now)
    }

    /// Time passes: ends waits that took too long, tells the ledger of credits, asks an absent
    /// ledger whether it is back, forgets what is idle. Cheap; meant for every 25 ms.
    public mutating func tick(at now: Uptime, _ effects: inout Effects) {
        if let first = waiters.first, now - first.since > patience { goAway(at: now, &effects) }
        guard now.microseconds - 250_000 >= lastTidying.microseconds else { return }
        lastTidying = now
        let idle = slots.filter { $0.value.isForgettable(at: now) }.map(\.key)
        for bucket in idle { slots[bucket] = nil }
        if isAway, !slots.values.contains(where: \.hasNews) {
            // Nothing hangs on it: the next request asks.
            isAway = false
        }
        newsAreDue = true
        sendOrders(at: now, &effects)
    }
}
