import Domain
import Logging
import ServiceLifecycle

/// What a node works with: its number, its disk, its clock and its way to the ledger. The program
/// makes them of its settings; the deterministic simulation makes its own.
struct LedgerParts: Sendable {
    /// The node's number in the ledger.
    let node: Int64
    let journal: any RecoverableJournal
    let clock: LedgerClock
    let pools: LedgerPools
    /// Lets another process use the node's disk. Nothing of this node may be at work any more.
    let release: @Sendable () -> Void

    /// Returns when the process is asked to stop.
    let shutdown: @Sendable () async -> Void

    /// Makes the parts of a simulated node.
    init(
        node: Int64, journal: any RecoverableJournal, clock: LedgerClock, pools: LedgerPools,
        release: @escaping @Sendable () -> Void, shutdown: @escaping @Sendable () async -> Void
    ) {
        self.node = node
        self.journal = journal
        self.clock = clock
        self.pools = pools
        self.release = release
        self.shutdown = shutdown
    }

    /// Opens the node's folder and prepares connections; nothing is asked of Postgres.
    ///
    /// Throws when the folder cannot be used, or another gateway uses it.
    init(
        _ settings: LedgerSettings, time: any TimeSource, random: LedgerRandom, logger: Logger,
        flush: @escaping JournalSync.Flush = JournalSync.dataSync
    ) throws(LedgerStartError) {
        let folder = try NodeFolder(settings.dataDirectory, random: random)
        node = folder.node
        release = { folder.release() }
        // Throws when the task is cancelled, which stops the node as well.
        shutdown = { try? await gracefulShutdown() }
        journal = try FileJournal(
            settings.dataDirectory, flush: flush, keptFor: settings.journalKeptFor,
            now: { time.uptime })
        clock = LedgerClock(time)
        do {
            pools = LedgerPools(
                lanes: try LedgerPools.pool(settings, "turnpike lane", mostWaiting: 1024, logger),
                clerks: try LedgerPools.pool(settings, "turnpike clerk", mostWaiting: 4096, logger),
                orders: OrderQueue())
        } catch {
            throw LedgerStartError("the database setting cannot be used: \(error)")
        }
    }
}
