public import Domain
public import Logging
import Postgres
public import ServiceLifecycle
import Synchronization

/// Events in Postgres, as one node keeps them: it notes what its own requests have brought about,
/// looks now and then at everything that runs, and hands out what is to be sent.
///
/// It has one connection of its own: neither lanes nor grants wait for it.
public final class PostgresEventLedger: EventOutbox, Service, Sendable {
    /// The most accounts that are compared at once.
    private static let mostAccounts = 1000

    private let ledger: PostgresQuotaLedger
    private let thresholds: QuotaThresholds
    private let webhooks: [WebhookSubscription]
    private let pool: PostgresPool
    private let clock: LedgerClock
    private let random: LedgerRandom
    private let logger: Logger
    private let settled = Mutex(SettledAccounts())
    /// How often accounts that were charged are compared.
    private let noteEvery: Duration
    /// How often all accounts of running periods are.
    private let reviewEvery: Duration
    private let retention: EventRetention
    /// How often old events are removed.
    private static let retireEvery: Duration = .seconds(3600)

    /// Makes the events of a node; nothing is asked of Postgres yet.
    ///
    /// Throws when the database setting cannot be used.
    public init(
        _ settings: LedgerSettings, of ledger: PostgresQuotaLedger,
        webhooks: [WebhookSubscription], time: any TimeSource, random: LedgerRandom,
        logger: Logger
    ) throws(LedgerStartError) {
        self.ledger = ledger
        self.webhooks = webhooks
        self.random = random
        self.logger = logger
        thresholds = settings.thresholds
        noteEvery = settings.noteEvery
        reviewEvery = settings.reviewEvery
        retention = settings.eventRetention
        clock = LedgerClock(time)
        var options = PostgresPoolOptions()
        options.connections = 1
        options.mostWaiting = 256
        options.longestWait = .seconds(10)
        do {
            pool = try PostgresPool(
                url: settings.databaseURL, connectionOptions: Self.connectionOptions(settings),
                options: options, logger: logger)
        } catch {
            throw LedgerStartError("the database setting cannot be used: \(error)")
        }
    }

    private static func connectionOptions(_ settings: LedgerSettings) -> PostgresConnectionOptions {
        var options = PostgresConnectionOptions()
        options.applicationName = "turnpike events"
        options.statementTimeout = .seconds(10)
        options.lockTimeout = .seconds(5)
        options.callTimeout = .seconds(12)
        options.usePreparedStatements = settings.usesPreparedStatements
        // Every look-up is by an index, whatever the statistics of a small table say.
        options.settings = [
            ("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off"), ("jit", "off"),
            ("synchronous_commit", "on"),
        ]
        return options
    }

    // MARK: Noting

    /// Notes events until the process stops, and once more then.
    public func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.runNotes() }
            // Throws when the task is cancelled, which stops the loop as well.
            try? await gracefulShutdown()
            group.cancelAll()
        }
        // The ledger has drained by now. Who fails here leaves it to the next review, of any node.
        try? await noteSettled()
        await pool.shutdown()
    }

    private func runNotes() async {
        var reviewed: Uptime?
        var retired: Uptime?
        while !Task.isCancelled {
            do {
                try await noteSettled()
                if reviewed.map({ clock.uptime - $0 >= reviewEvery }) ?? true {
                    try await review()
                    reviewed = clock.uptime
                }
                if retired.map({ clock.uptime - $0 >= Self.retireEvery }) ?? true {
                    try await retire()
                    retired = clock.uptime
                }
            } catch {
                // Nothing is lost: what was not compared is compared the next time.
                if !Task.isCancelled {
                    logger.warning(
                        "quotas were not compared with their thresholds",
                        metadata: ["error": "\(error)"])
                }
            }
            // Cancelled at the stop: the loop's end.
            await clock.wait(noteEvery)
        }
    }

    /// Compares the accounts that this node has charged lately, and notes what is new.
    func noteSettled() async throws(PostgresError) {
        guard !thresholds.percents.isEmpty else { return }
        let fresh = ledger.takeSettledAccounts()
        let due = settled.withLock { settled in
            settled.add(fresh)
            return settled.due
        }
        for (shard, accounts) in due {
            var rest = accounts[...]
            while !rest.isEmpty {
                let some = Array(rest.prefix(Self.mostAccounts))
                rest = rest.dropFirst(Self.mostAccounts)
                try await note(EventStatements.find(thresholds, among: some, in: shard), shard)
                settled.withLock { $0.looked(at: some, in: shard) }
            }
        }
    }

    /// Compares every account of the periods that run: for what a node did not live to note.
    func review() async throws(PostgresError) {
        guard !thresholds.percents.isEmpty else { return }
        for shard in try await shards() {
            try await note(EventStatements.findAll(thresholds, in: shard), shard)
        }
    }

    private func note(_ find: PostgresCommand, _ shard: Int16) async throws(PostgresError) {
        let (webhooks, random, now) = (webhooks, random, clock.now)
        let noted = try await pool.run { connection throws(PostgresError) in
            let found = try Self.run(find, connection).rows.map { row throws(PostgresError) in
                try EventStatements.decode(row)
            }
            guard !found.isEmpty else { return 0 }
            let named = found.map {
                (id: EventID(at: now, random: (random.bits(), random.bits())), found: $0)
            }
            let insert = EventStatements.insert(named, for: webhooks, in: shard)
            return try Self.run(insert, connection).rows.count
        }
        guard noted > 0 else { return }
        logger.info(
            "quotas have reached thresholds", metadata: ["shard": "\(shard)", "events": "\(noted)"])
    }

    /// Removes the events that are older than they are kept. Another node may do so at once; a crash
    /// leaves whole events, with or without the rest of them.
    func retire() async throws(PostgresError) {
        for shard in try await shards() {
            var removed: Int64 = 0
            repeat {
                let drop = EventRetentionStatements.drop(
                    keeping: retention, in: shard, at: clock.now)
                removed = try await pool.run { connection throws(PostgresError) in
                    try Conflicts.repeating { () throws(PostgresError) in
                        try connection.transaction { connection throws(PostgresError) in
                            _ = try connection.execute(drop.deliveries)
                            return Int64(try connection.execute(drop.events).rows.count)
                        }
                    }
                }
                if removed > 0 {
                    logger.info(
                        "old events were removed",
                        metadata: ["shard": "\(shard)", "events": "\(removed)"])
                }
            } while removed == EventRetentionStatements.most && !Task.isCancelled
        }
    }

    private func shards() async throws(PostgresError) -> [Int16] {
        try await pool.run { connection throws(PostgresError) in
            try connection.execute(LaneStatements.shards).rows.map { row throws(PostgresError) in
                try row.int2(0)
            }
        }
    }

    // MARK: Handing out

    /// See ``EventOutbox``.
    public func claim(
        for webhook: String, most: Int, lease: Duration
    ) async throws(LedgerFault) -> [EventDelivery] {
        do {
            let shards = try await shards()
            return try await pool.run { connection throws(PostgresError) in
                try Self.claim(webhook, in: shards, most: most, lease: lease, connection)
            }
        } catch {
            throw .unavailable
        }
    }

    private static func claim(
        _ webhook: String, in shards: [Int16], most: Int, lease: Duration,
        _ connection: PostgresConnection
    ) throws(PostgresError) -> [EventDelivery] {
        var claimed: [EventDelivery] = []
        let due = DeliveryStatements.due(in: shards, for: [webhook])
        for row in try run(due, connection).rows where claimed.count < most {
            let read = DeliveryStatements.read(
                webhook, in: try row.int2(0), most: most - claimed.count)
            for row in try run(read, connection).rows {
                let found = try DeliveryStatements.decode(row, to: webhook)
                let claim = DeliveryStatements.claim(found, for: lease)
                guard let row = try run(claim, connection).rows.first else { continue }
                claimed.append(
                    EventDelivery(
                        event: found.event, webhook: webhook, attempt: try row.int8(0)))
            }
        }
        return claimed
    }

    /// See ``EventOutbox``.
    public func note(
        _ outcome: DeliveryOutcome, of delivery: EventDelivery
    ) async throws(LedgerFault) {
        do {
            try await pool.run { connection throws(PostgresError) in
                _ = try Self.run(DeliveryStatements.note(outcome, of: delivery), connection)
            }
        } catch {
            logger.warning(
                "what became of an event was not noted; it may be sent again",
                metadata: ["event": "\(delivery.event.id)", "error": "\(error)"])
            throw .unavailable
        }
    }

    /// See ``EventOutbox``.
    public func oldestAge(for webhook: String) async throws(LedgerFault) -> Duration? {
        do {
            let shards = try await shards()
            return try await pool.run { connection throws(PostgresError) in
                let command = DeliveryStatements.oldest(in: shards, for: webhook)
                guard let row = try connection.execute(command).rows.first else { return nil }
                return try row.optionalInt8(0).map { .microseconds(max(0, $0)) }
            }
        } catch {
            throw .unavailable
        }
    }

    /// Runs a statement, which is its own transaction; again when it lost a race with another.
    private static func run(
        _ command: PostgresCommand, _ connection: PostgresConnection
    ) throws(PostgresError) -> PostgresResult {
        try Conflicts.repeating { () throws(PostgresError) in try connection.execute(command) }
    }
}
