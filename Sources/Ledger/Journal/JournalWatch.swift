public import ServiceLifecycle

/// Ends the program when the journal's disk fails: nothing is admitted from then on, what runs is
/// finished by the ledger's word alone, and the process stops.
///
/// A service of its own, started last: when it fails, the others stop in the usual order, requests
/// first and the ledger after them.
public struct JournalWatch: Service {
    let journal: any RecoverableJournal

    /// Throws when the disk has failed; returns at a graceful stop.
    public func run() async throws {
        await cancelWhenGracefulShutdown { await journal.failure() }
        guard journal.hasFailed else { return }
        throw LedgerStartError(
            "the disk of data_dir failed: what an outage of the ledger needs on it cannot be kept."
                + " Nothing is lost that was answered; look at the disk before starting again")
    }
}
