import Domain

/// What a ledger has lost of a node's batches, by what the journal knows: a failover to a server
/// that had not received them, or a restore from a backup. Pure.
struct LedgerLoss: Sendable, Equatable {
    /// Per lane, the last batch that the ledger has; all later ones are lost.
    let lanes: [LaneKey: Int64]
    /// The node's first lane that the journal knows.
    let first: LaneKey

    /// Compares the ledger's row with the lanes that the journal saw opened, in their order, and
    /// the last batch of each that was confirmed. Nil when nothing is lost.
    ///
    /// An epoch that the journal does not know is newer than it: the process died before it could
    /// note it. An earlier one than the last says that everything since is lost, and no row at all
    /// that everything is.
    init?(row: LaneMachine.Row?, lanes known: [LaneKey], confirmed: [LaneKey: Int64]) {
        guard let first = known.first else { return nil }
        self.first = first
        guard let row else {
            lanes = Dictionary(known.map { ($0, 0) }) { one, _ in one }
            return
        }
        guard let index = known.lastIndex(where: { $0.epoch == row.epoch }) else { return nil }
        var lost: [LaneKey: Int64] = [:]
        if row.lastSequence < confirmed[known[index]] ?? 0 {
            lost[known[index]] = row.lastSequence
        }
        for later in known[(index + 1)...] { lost[later] = 0 }
        guard !lost.isEmpty else { return nil }
        lanes = lost
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
