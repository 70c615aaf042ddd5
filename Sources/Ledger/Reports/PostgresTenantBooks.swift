public import Domain
public import Logging
import Postgres
public import ServiceLifecycle
import Synchronization

/// The books as the gateway's clients may read them: each key what is its own.
///
/// It has one connection of its own, so that one report at a time is made for all clients of a
/// node, however many ask; a few wait, the others are turned away at once. A key may ask 60 times
/// a minute. Nothing of it is shared with lanes, grants or look-ups of keys.
public final class PostgresTenantBooks: TenantBooks, Service, Sendable {
    /// How often one key may read, per minute.
    public static let readsPerMinute: Int64 = 60
    /// Keys whose reads are counted; of more, one chosen by chance is forgotten.
    static let mostKeys = 4096

    private let pool: PostgresPool
    private let time: any TimeSource
    private let random: LedgerRandom
    private let logger: Logger
    private let reads = Mutex(BoundedMap<KeyID, GCRA>(capacity: mostKeys))

    /// Makes the books; nothing is asked of Postgres yet.
    ///
    /// Throws when the URL cannot be used.
    public init(
        url: String, time: any TimeSource, random: LedgerRandom, logger: Logger
    ) throws(LedgerError) {
        self.time = time
        self.random = random
        self.logger = logger
        do throws(PostgresError) {
            pool = try PostgresPool(
                url: url, connectionOptions: Self.connectionOptions, options: Self.poolOptions,
                logger: logger)
        } catch {
            throw LedgerError(error)
        }
    }

    private static var poolOptions: PostgresPoolOptions {
        var options = PostgresPoolOptions()
        options.connections = 1
        options.mostWaiting = 16
        options.longestWait = .seconds(1)
        return options
    }

    /// Plans as they were written for, whatever the statistics say: by primary keys.
    private static var connectionOptions: PostgresConnectionOptions {
        var options = PostgresConnectionOptions()
        options.applicationName = "turnpike tenants"
        options.statementTimeout = .seconds(2)
        options.callTimeout = .seconds(3)
        options.settings = [
            ("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off"), ("jit", "off"),
        ]
        return options
    }

    /// What the principal's key used; see ``TenantBooks``.
    public func usage(
        of principal: Principal, _ question: OwnUsageQuestion
    ) async throws(BooksFault) -> [OwnUsageRow] {
        try await read(principal) { connection throws(PostgresError) in
            try connection.execute(TenantBookStatements.usage(question, of: principal)).rows
                .map { row throws(PostgresError) in
                    try TenantBookStatements.decodeUsage(row, question.grouping)
                }
        }
    }

    /// The quotas that apply to the principal's key; see ``TenantBooks``.
    public func quotas(of principal: Principal) async throws(BooksFault) -> OwnQuotas {
        try await read(principal) { connection throws(PostgresError) in
            try TenantBookStatements.decodeQuotas(
                connection.execute(TenantBookStatements.quotas(of: principal)).rows)
        }
    }

    private func read<Value: Sendable>(
        _ principal: Principal,
        _ body: @escaping @Sendable (PostgresConnection) throws(PostgresError) -> Value
    ) async throws(BooksFault) -> Value {
        if let wait = count(principal.key) { throw .throttled(retryAfter: wait) }
        do throws(PostgresError) {
            return try await pool.run(body)
        } catch {
            switch error.kind {
            // Too many at once, or a client that left: nothing for the operator.
            case .overloaded, .cancelled: break
            default:
                logger.warning(
                    "a key's own usage could not be read", metadata: ["error": "\(error)"])
            }
            throw .unavailable
        }
    }

    /// Counts a read of the key, or says how long to wait.
    private func count(_ key: KeyID) -> Duration? {
        let now = time.uptime
        let random = random.bits()
        return reads.withLock { reads in
            var cell = reads[key] ?? GCRA(perMinute: Self.readsPerMinute)
            if case .wait(let wait) = cell.decide(1, at: now) { return wait }
            cell.take(1, at: now)
            reads.set(key, to: cell, random: random)
            return nil
        }
    }

    /// Ends the connection when the service group stops.
    public func run() async throws {
        // Cancelled is the same end, sooner.
        try? await gracefulShutdown()
        await pool.shutdown()
    }
}
