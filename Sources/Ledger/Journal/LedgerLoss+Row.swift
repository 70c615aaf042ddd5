/// Found by comparing what the ledger says with what the journal knows.
extension LedgerLoss {
    /// Compares the ledger's row with the lanes that the journal saw opened, in their order, and
    /// the last batch of each that was confirmed. Nil when nothing is lost.
    ///
    /// An epoch that the journal does not know is newer than it: the process died before it could
    /// note it. An earlier one than the last says that everything since is lost, and no row at all
    /// that everything is.
    init?(row: LaneMachine.Row?, lanes known: [LaneKey], confirmed: [LaneKey: Int64]) {
        guard let first = known.first else { return nil }
        guard let row else {
            self.init(
                lanes: Dictionary(known.map { ($0, 0) }) { one, _ in one }, first: first)
            return
        }
        guard let index = known.lastIndex(where: { $0.epoch == row.epoch }) else { return nil }
        var lost: [LaneKey: Int64] = [:]
        if row.lastSequence < confirmed[known[index]] ?? 0 {
            lost[known[index]] = row.lastSequence
        }
        for later in known[(index + 1)...] { lost[later] = 0 }
        guard !lost.isEmpty else { return nil }
        self.init(lanes: lost, first: first)
    }
}
