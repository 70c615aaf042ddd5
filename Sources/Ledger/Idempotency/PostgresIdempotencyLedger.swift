public import Domain
public import Logging
import Postgres
public import ServiceLifecycle
import Synchronization

/// Claims on clients' `Idempotency-Key`s in Postgres, as one node makes them.
///
/// It has connections of its own: however many such requests come, they wait for each other and not
/// before batches, grants or look-ups of keys.
public final class PostgresIdempotencyLedger: IdempotencyLedger, Service, Sendable {
    /// Claims that may wait to be given back. One beyond is given back when the node ends, or after
    /// a day.
    static let mostUnreleased = 10_000
    /// Rows that are taken away at once.
    static let forgottenAtOnce: Int64 = 500
    /// How often claims and answers are looked for whose time is over.
    private static let forgetEvery: Duration = .seconds(60)

    private let ledger: PostgresQuotaLedger
    private let replaysAnswers: Bool
    private let upkeepEvery: Duration
    private let pool: PostgresPool
    private let clock: LedgerClock
    private let logger: Logger
    private let unreleased = Mutex<[IdempotencyClaim]>([])
    private let restorer: ClaimRestorer

    /// Makes the claims of a node; nothing is asked of Postgres yet. Where `replaysAnswers`, answers
    /// that were kept are read with the claims that they belong to.
    ///
    /// Throws when the database setting cannot be used.
    public init(
        _ settings: LedgerSettings, of ledger: PostgresQuotaLedger, replaysAnswers: Bool,
        time: any TimeSource, logger: Logger
    ) throws(LedgerStartError) {
        self.ledger = ledger
        self.replaysAnswers = replaysAnswers
        self.logger = logger
        upkeepEvery = min(settings.heartbeat, settings.sweepEvery)
        clock = LedgerClock(time)
        var options = PostgresPoolOptions()
        options.connections = 2
        options.mostWaiting = 1024
        options.longestWait = settings.acceptanceWait
        do {
            pool = try PostgresPool(
                url: settings.databaseURL, connectionOptions: Self.connectionOptions(settings),
                options: options, logger: logger)
        } catch {
            throw LedgerStartError("the database setting cannot be used: \(error)")
        }
        restorer = ClaimRestorer(
            node: ledger.node, pool: pool, clock: clock, keptFor: settings.journalKeptFor,
            silentFor: settings.fenceAfter, logger: logger)
    }

    private static func connectionOptions(_ settings: LedgerSettings) -> PostgresConnectionOptions {
        var options = PostgresConnectionOptions()
        options.applicationName = "turnpike idempotency"
        options.statementTimeout = .seconds(2)
        options.lockTimeout = .seconds(1)
        options.callTimeout = .seconds(3)
        options.usePreparedStatements = settings.usesPreparedStatements
        // Every look-up is by a primary key, whatever the statistics of a small table say.
        options.settings = [
            ("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off"), ("jit", "off"),
            ("synchronous_commit", "on"),
        ]
        return options
    }

    /// See ``IdempotencyLedger``.
    public func claim(
        _ claim: IdempotencyClaim
    ) async throws(LedgerFault) -> IdempotencyVerdict {
        // A claim lasts as long as the node's lane, so there must be one.
        guard await ledger.hasLane(claim.shard, for: claim.requestID) else { throw .unavailable }
        do {
            return try await decide(claim)
        } catch {
            // It may have been made all the same, and nobody goes on with it.
            if error.isAmbiguous { leaveToRelease(claim) }
            logger.warning("an idempotency key was not claimed", metadata: ["error": "\(error)"])
            throw .unavailable
        }
    }

    private func decide(
        _ claim: IdempotencyClaim
    ) async throws(PostgresError) -> IdempotencyVerdict {
        let (restorer, replays) = (restorer, replaysAnswers)
        func decide() async throws(PostgresError) -> IdempotencyVerdict {
            try await pool.run { connection throws(PostgresError) in
                try Self.claim(claim, through: restorer, replays: replays, connection)
            }
        }
        try await restorer.begin(claim.shard)
        do {
            return try await decide()
        } catch {
            guard error.isUnconfirmedClaims else { throw error }
            // This node may be the one that all wait for.
            try await restorer.restore(claim.shard)
            return try await decide()
        }
    }

    private static func claim(
        _ claim: IdempotencyClaim, through restorer: ClaimRestorer, replays: Bool,
        _ connection: PostgresConnection
    ) throws(PostgresError) -> IdempotencyVerdict {
        // The row that was in the way may be gone when it is looked at; then it is claimed again.
        for _ in 0..<3 {
            let isClaimed = try Conflicts.repeating { () throws(PostgresError) in
                try restorer.claim(claim, connection)
            }
            if isClaimed { return .claimed }
            let look = IdempotencyStatements.look(claim, withAnswer: replays)
            if let row = try run(look, connection).rows.first {
                return try IdempotencyStatements.verdict(row)
            }
        }
        throw PostgresError(kind: .overloaded(reason: "the node has no live lane"))
    }

    /// See ``IdempotencyLedger``.
    public func confirm(_ claim: IdempotencyClaim) async throws(LedgerFault) -> Bool {
        // Before it is: from then on the node answers for the claim whatever the ledger forgets.
        restorer.confirm(claim)
        do {
            return try await pool.run { connection throws(PostgresError) in
                let command = IdempotencyStatements.confirm(claim)
                return try !Self.run(command, connection).rows.isEmpty
            }
        } catch {
            logger.warning("a claim was not confirmed", metadata: ["error": "\(error)"])
            throw .unavailable
        }
    }

    /// See ``IdempotencyLedger``.
    public func release(_ claim: IdempotencyClaim) async {
        restorer.forget(claim)
        do {
            try await releaseNow(claim)
        } catch {
            leaveToRelease(claim)
        }
    }

    /// See ``IdempotencyLedger``.
    public func keep(_ answer: StoredAnswer, of claim: IdempotencyClaim) async {
        do {
            try await pool.run { connection throws(PostgresError) in
                _ = try Self.run(IdempotencyStatements.keep(answer, of: claim), connection)
            }
        } catch {
            logger.warning("an answer was not kept", metadata: ["error": "\(error)"])
        }
    }

    /// Gives back what could not be given back at once and forgets what is too old, until the
    /// process stops.
    public func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.runUpkeep() }
            // Throws when the task is cancelled, which stops the loop as well.
            try? await gracefulShutdown()
            group.cancelAll()
        }
        await pool.shutdown()
    }

    private func runUpkeep() async {
        var forgot: Uptime?
        while !Task.isCancelled {
            await restorer.restoreMoved()
            await releaseLeft()
            if forgot.map({ clock.uptime - $0 > Self.forgetEvery }) ?? true {
                do {
                    try await forget()
                    forgot = clock.uptime
                } catch {
                    logger.warning("old claims are still there", metadata: ["error": "\(error)"])
                }
            }
            // Cancelled at the stop: the loop's end.
            await clock.wait(upkeepEvery)
        }
    }

    /// Repeats this node's claims on every shard whose server is another one by now.
    func restoreMoved() async { await restorer.restoreMoved() }

    /// Tries once more to give back what is left to be given back.
    func releaseLeft() async {
        let left = unreleased.withLock { left in
            defer { left = [] }
            return left
        }
        for claim in left { await release(claim) }
    }

    /// Takes away every claim and answer whose day is over, some at a time.
    func forget() async throws(PostgresError) {
        let shards = try await pool.run { connection throws(PostgresError) in
            try connection.execute(LaneStatements.shards).rows.map { row throws(PostgresError) in
                try row.int2(0)
            }
        }
        for shard in shards {
            for command in IdempotencyStatements.forget(shard: shard, most: Self.forgottenAtOnce) {
                var count = Self.forgottenAtOnce
                while count == Self.forgottenAtOnce, !Task.isCancelled {
                    count = try await pool.run { connection throws(PostgresError) in
                        Int64(try Self.run(command, connection).affectedRows)
                    }
                }
            }
        }
    }

    private func releaseNow(_ claim: IdempotencyClaim) async throws(PostgresError) {
        try await pool.run { connection throws(PostgresError) in
            _ = try Self.run(IdempotencyStatements.release(claim), connection)
        }
    }

    private func leaveToRelease(_ claim: IdempotencyClaim) {
        unreleased.withLock { left in
            if left.count < Self.mostUnreleased { left.append(claim) }
        }
    }

    /// Runs a statement, which is its own transaction; again when it lost a race with another.
    private static func run(
        _ command: PostgresCommand, _ connection: PostgresConnection
    ) throws(PostgresError) -> PostgresResult {
        try Conflicts.repeating { () throws(PostgresError) in try connection.execute(command) }
    }
}
