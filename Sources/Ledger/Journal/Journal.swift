import Domain

/// The node's own record of what it admitted, delivered and settled, kept on its disk so that a
/// restart settles exactly what was open when the process died.
///
/// Its calls stand at the gates where they belong: an opening is written before the first byte goes
/// to a backend (G0), progress before bytes go to the client's socket (G2), a settlement before the
/// end is released (G3). All of them reach the page cache and no further: they survive the death of
/// the process, which needs no fsync (ledger.md §3.2, class D1). Only an outage of the ledger asks
/// for the disk.
protocol Journal: Sendable {
    /// Writes an opening. False when it cannot be kept: the request must then not run.
    func opened(_ opening: Opening, lane: LaneKey) -> Bool

    /// Notes what a request will have used once the bytes at hand are delivered.
    func progressed(_ id: RequestID, usage: TokenUsage)

    /// Notes that the lane was opened anew, before anything is sent through it.
    func laneOpened(_ lane: LaneKey)

    /// Notes that a request goes on without the ledger's word, in an outage. False when that cannot
    /// be kept.
    func rode(_ id: RequestID) -> Bool

    /// Writes a settlement.
    func closed(_ closing: Closing)

    /// The ledger took the batch `sequence` of a lane; `finished` are the requests that nothing
    /// more can happen to.
    func confirmed(_ lane: LaneKey, sequence: Int64, finished: [RequestID])

    /// Brings everything written so far to the disk itself, where it survives the loss of power
    /// (class D2): needed only where the journal stands in for the ledger. False when the disk
    /// failed; it is not asked again, since a kernel may forget what it could not write.
    func sync() async -> Bool

    /// Whether the disk has failed: this node must admit nothing more.
    var hasFailed: Bool { get }
}

/// A journal that also tells what the process before this one left open.
protocol RecoverableJournal: Journal {
    /// What was open.
    var replay: JournalReplay { get }

    /// How a request of the dead process ended; nil when nobody can know, since the machine lost
    /// its memory meanwhile.
    func end(of request: JournalReplay.Unfinished) -> Settlement?

    /// Returns when the disk has failed, or the task is cancelled. For one task.
    func failure() async

    /// What the ledger has lost, by its row of this node's lane, if it has one; nil when nothing is.
    func loss(_ row: LaneMachine.Row?, shard: Int16) -> LedgerLoss?

    /// Whether everything that is lost can be told again.
    func reaches(back loss: LedgerLoss) -> Bool

    /// What the journal holds of the loss, and every request that has not ended, as it is on the
    /// disk now.
    func everything(in loss: LedgerLoss) -> JournalReplay
}

/// Keeps nothing: for a ledger without a disk of its own. A killed node's open requests are then
/// settled at their bound: never lost, never under-counted, but not exact.
struct AbsentJournal: Journal {
    func opened(_ opening: Opening, lane: LaneKey) -> Bool { true }
    func progressed(_ id: RequestID, usage: TokenUsage) {}
    func laneOpened(_ lane: LaneKey) {}
    func rode(_ id: RequestID) -> Bool { false }
    func closed(_ closing: Closing) {}
    func confirmed(_ lane: LaneKey, sequence: Int64, finished: [RequestID]) {}
    func sync() async -> Bool { false }
    var hasFailed: Bool { false }
}
