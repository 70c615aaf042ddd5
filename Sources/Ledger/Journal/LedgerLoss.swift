/// What a ledger has lost of a node's batches, by what the journal knows: a failover to a server
/// that had not received them, or a restore from a backup. Pure.
struct LedgerLoss: Sendable, Equatable {
    /// Per lane, the last batch that the ledger has; all later ones are lost.
    let lanes: [LaneKey: Int64]
    /// The node's first lane that the journal knows.
    let first: LaneKey

    /// - Parameters:
    ///   - lanes: per lane, the last batch that the ledger has.
    ///   - first: the node's first lane that the journal knows.
    init(lanes: [LaneKey: Int64], first: LaneKey) {
        self.lanes = lanes
        self.first = first
    }

    /// Whether a request whose end was confirmed with this batch of the lane is lost. One that ended
    /// without a batch of its own may be: booking it twice does no harm.
    func covers(_ lane: LaneKey, _ sequence: Int64) -> Bool {
        guard let last = lanes[lane] else { return false }
        return sequence == 0 || sequence > last
    }

    /// Whether the journal reaches back far enough to tell the ledger everything again.
    func isWithin(forgotten: [LaneKey: Int64]) -> Bool {
        lanes.allSatisfy { lane, last in (forgotten[lane] ?? 0) <= last }
    }
}
