import Domain

/// A claim that this node made.
struct HeldClaim: Sendable {
    /// The claim.
    let claim: IdempotencyClaim
    /// When it was made, by the ledger's clock.
    let claimedAt: Timestamp
    /// Since when the node has it, by its own clock.
    let heldSince: Uptime
    /// Whether the ledger was asked to confirm it: its client may have the answer.
    var isConfirmed = false
}

/// The claims that a node made lately, so that it can repeat those that a failover took back. Pure:
/// the caller supplies the time.
struct ClaimMemory: Sendable {
    /// The most claims that are kept: some 15 MB. The oldest go first.
    static let most = 50_000

    /// How long a claim is kept: longer than a failover can take back.
    let keptFor: Duration

    private var held: [RequestID: HeldClaim] = [:]
    /// Ids in the order of their coming; those before `first` are gone.
    private var order: [RequestID] = []
    private var first = 0

    /// Starts with none.
    init(keptFor: Duration) { self.keptFor = keptFor }

    /// How many are kept.
    var count: Int { held.count }

    /// Notes a claim that was made, and forgets those whose time is over.
    mutating func note(_ claim: IdempotencyClaim, claimedAt: Timestamp, at now: Uptime) {
        expire(at: now)
        if held.count >= Self.most { dropOldest() }
        let id = claim.requestID
        guard held[id] == nil else { return }
        held[id] = HeldClaim(claim: claim, claimedAt: claimedAt, heldSince: now)
        order.append(id)
    }

    /// Notes that the ledger is asked to confirm a request's claim.
    mutating func confirm(_ id: RequestID) { held[id]?.isConfirmed = true }

    /// Forgets a claim that is given back.
    mutating func forget(_ id: RequestID) { held[id] = nil }

    /// What the ledger of a shard must have.
    func confirmed(in shard: Shard) -> [HeldClaim] {
        order[first...].compactMap { id in
            guard let claim = held[id], claim.isConfirmed, claim.claim.shard == shard else {
                return nil
            }
            return claim
        }
    }

    private mutating func expire(at now: Uptime) {
        while first < order.count {
            // A gap is a claim that was given back.
            if let oldest = held[order[first]], now - oldest.heldSince <= keptFor { break }
            dropOldest()
        }
    }

    private mutating func dropOldest() {
        guard first < order.count else { return }
        held[order[first]] = nil
        first += 1
        // Moved seldom, so that each id is moved once on average.
        if first > order.count / 2, first > 1024 {
            order.removeFirst(first)
            first = 0
        }
    }
}
