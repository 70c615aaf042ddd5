public import Domain
public import Logging
import Postgres
public import ServiceLifecycle
import Synchronization

/// The ledger in Postgres, as one node sees it: leases in memory, openings and closings in
/// group-committed batches, and the background work that keeps both honest.
public final class PostgresQuotaLedger: QuotaLedger, Service, Sendable {
    private let settings: LedgerSettings
    private let parts: LedgerParts
    private let names: NameBook
    private let random: LedgerRandom
    private let logger: Logger
    private let shards = Mutex<[Int16: ShardLedger]>([:])
    private let started: AsyncStream<ShardLedger>
    private let start: AsyncStream<ShardLedger>.Continuation

    /// Opens the node's folder. Nothing is asked of Postgres before ``run()``.
    ///
    /// Throws when the folder cannot be used, or another gateway uses it.
    public convenience init(
        _ settings: LedgerSettings, time: any TimeSource, random: LedgerRandom, logger: Logger
    ) throws(LedgerStartError) {
        let parts = try LedgerParts(settings, time: time, random: random, logger: logger)
        self.init(settings, parts, random: random, logger: logger)
    }

    /// Makes a node of its parts.
    init(
        _ settings: LedgerSettings, _ parts: LedgerParts, random: LedgerRandom, logger: Logger
    ) {
        self.settings = settings
        self.parts = parts
        names = NameBook(
            CatalogNames(
                models: settings.models, backends: settings.backends, prices: settings.prices))
        self.random = random
        self.logger = logger
        (started, start) = AsyncStream.makeStream(of: ShardLedger.self)
    }

    /// This node's number in the ledger.
    public var node: Int64 { parts.node }

    private var journal: any RecoverableJournal { parts.journal }
    private var clock: LedgerClock { parts.clock }
    private var pools: LedgerPools { parts.pools }

    /// Whether the lane of the default organization's shard is open and the ledger answers.
    public var isReady: Bool {
        let now = clock.uptime
        let shard = shardLedger(OrganizationID.default.shard)
        return shard.change { state, _ in
            state.lane.key != nil && !state.isDraining && !shard.isGone(state, at: now)
        }
    }

    /// Ends the program should the journal's disk fail; to be started after everything else.
    public var journalWatch: JournalWatch { JournalWatch(journal: parts.journal) }

    // MARK: Requests

    /// See ``QuotaLedger``.
    public func admit(_ request: AdmissionRequest) async throws(LedgerFault) -> Admission {
        try await shardLedger(request.principal.shard).admit(request)
    }

    /// See ``QuotaLedger``.
    public func acceptance(
        of reservation: borrowing Reservation
    ) async throws(LedgerFault) -> Acceptance {
        try await shardLedger(reservation.principal.shard).acceptance(of: reservation.requestID)
    }

    /// See ``QuotaLedger``.
    public func note(_ usage: TokenUsage, of reservation: borrowing Reservation) {
        journal.progressed(reservation.requestID, usage: usage)
    }

    /// See ``QuotaLedger``.
    public func settle(
        _ reservation: consuming Reservation, as settlement: Settlement
    ) async throws(LedgerFault) -> Receipt {
        try await shardLedger(reservation.principal.shard).settle(reservation, as: settlement)
    }

    /// See ``QuotaLedger``.
    public func standing(of principal: Principal, for model: String?) -> Standing {
        shardLedger(principal.shard).standing(of: principal, for: model)
    }

    /// Makes the names of another catalog known to every shard in use, and to those that will be:
    /// before a request may resolve to them.
    ///
    /// Throws, with nothing changed for requests, when the ledger does not answer, or when a name has
    /// the number of another one.
    public func adopt(_ catalog: CatalogNames) async throws(LedgerStartError) {
        var written: Set<Int16> = []
        var missing = allShards.map(\.shard)
        repeat {
            let shards = missing
            do {
                try await pools.clerks.run { connection throws(PostgresError) in
                    for shard in shards { try catalog.write(connection, shard: shard) }
                }
            } catch {
                throw LedgerStartError("the ledger did not take the catalog's names: \(error)")
            }
            names.replace(with: catalog)
            written.formUnion(shards)
            // Shards that were first asked for meanwhile may have begun with the names before.
            missing = allShards.map(\.shard).filter { !written.contains($0) }
        } while !missing.isEmpty
    }

    /// Waits until the lane of a shard is open, for a moment; false when the ledger does not answer.
    func hasLane(_ shard: Shard, for id: RequestID) async -> Bool {
        await shardLedger(shard).hasLane(for: id)
    }

    /// The accounts that this node's requests have settled on since the last call, by shard.
    func takeSettledAccounts() -> [Int16: Set<AccountID>] {
        var taken: [Int16: Set<AccountID>] = [:]
        for shard in allShards {
            let accounts = shard.takeSettledAccounts()
            if !accounts.isEmpty { taken[shard.shard] = accounts }
        }
        return taken
    }

    /// The node's side of a shard; its lane is opened when the shard is first asked for.
    private func shardLedger(_ shard: Shard) -> ShardLedger {
        shards.withLock { shards in
            if let known = shards[shard.rawValue] { return known }
            let fresh = ShardLedger(
                shard: shard.rawValue, settings: settings, names: names, node: node, clock: clock,
                pools: pools, journal: journal, random: random, logger: logger)
            shards[shard.rawValue] = fresh
            start.yield(fresh)
            return fresh
        }
    }

    private var allShards: [ShardLedger] { shards.withLock { Array($0.values) } }

    // MARK: Background

    /// Runs lanes, orders, heartbeats and sweeps until the process stops; then lets open requests
    /// end, returns every lease, closes the lanes and the connections.
    public func run() async throws {
        try await checkAge()
        _ = shardLedger(OrganizationID.default.shard)
        // Shards in which the last process left something open are recovered now, asked for or not.
        for shard in journal.replay.shards { _ = shardLedger(Shard(rawValue: shard)) }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.runLanes() }
            group.addTask { await self.runOrders() }
            let upkeep = LedgerUpkeep(
                settings: settings, node: node, clock: clock, pools: pools, logger: logger,
                shards: { self.allShards })
            group.addTask { await upkeep.runTicks() }
            group.addTask { await upkeep.runBeats() }
            group.addTask { await upkeep.runSweeps() }
            await parts.shutdown()
            await self.drain()
            group.cancelAll()
        }
        await pools.lanes.shutdown()
        await pools.clerks.shutdown()
        parts.release()
    }

    /// Refuses a ledger that is older than this node's journal. Waits for one that does not answer.
    private func checkAge() async throws {
        guard !settings.acceptsOlderLedger else { return }
        var backOff = BackOff()
        for shard in journal.replay.shards {
            let recovery = JournalRecovery(journal: journal, shard: shard)
            while !Task.isShuttingDownGracefully, !Task.isCancelled {
                do {
                    let row = try await pools.clerks.run {
                        [node] connection throws(PostgresError) in
                        try LaneStart.read(connection, shard: shard, node: node)
                    }
                    try recovery.checkAge(of: row)
                    break
                } catch let error as PostgresError {
                    logger.warning("the ledger does not answer", metadata: ["error": "\(error)"])
                    // Cancelled only when the process is forced to stop.
                    await clock.wait(backOff.next(random: random.bits()))
                }
            }
        }
    }

    private func runLanes() async {
        await withDiscardingTaskGroup { group in
            for await shard in started { group.addTask { await shard.runLane() } }
        }
    }

    private func runOrders() async {
        await withDiscardingTaskGroup { group in
            for await entry in pools.orders.entries {
                group.addTask {
                    switch entry.work {
                    case .order(let order, let lane):
                        await entry.shard.carryOut(order, under: lane)
                    case .rates(let orders): await entry.shard.carryOut(orders)
                    case .correction(let closing): await entry.shard.correct(closing)
                    }
                }
            }
        }
    }

    private func drain() async {
        let shards = allShards
        let deadline = clock.uptime + settings.drainWait
        for shard in shards { shard.beginDrain() }
        Failpoint.pass("drain.begun")
        while clock.uptime < deadline, !shards.allSatisfy(\.isDrained) {
            for shard in shards { shard.continueDrain() }
            // Cancelled only when the process is forced to stop: the loop then ends by its
            // deadline.
            await clock.wait(.milliseconds(20))
        }
        for shard in shards { shard.stop() }
        Failpoint.pass("drain.stopped")
        for shard in shards { await shard.closeLane() }
        Failpoint.pass("drain.closed")
        start.finish()
        pools.orders.finish()
    }
}
