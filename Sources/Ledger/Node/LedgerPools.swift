import Domain
import Logging
import Postgres

/// A node's connections to the ledger. Lanes have their own, so that batches never wait behind a
/// grant or a report.
struct LedgerPools: Sendable {
    /// For batches: their order within a lane comes from the lane, not from the connection.
    let lanes: any LedgerPool
    /// For grants, returns, heartbeats and sweeps.
    let clerks: any LedgerPool
    /// Lease orders on their way to a clerk.
    let orders: OrderQueue

    /// Settings under which every ledger statement keeps the plan it was written for, whatever the
    /// statistics say.
    private static func options(
        _ settings: LedgerSettings, name: String
    ) -> PostgresConnectionOptions {
        var options = PostgresConnectionOptions()
        options.applicationName = name
        options.statementTimeout = .seconds(10)
        options.lockTimeout = .seconds(5)
        options.idleInTransactionTimeout = .seconds(10)
        options.callTimeout = .seconds(12)
        options.usePreparedStatements = settings.usesPreparedStatements
        options.settings = [
            ("plan_cache_mode", "force_generic_plan"), ("enable_nestloop", "off"),
            ("enable_mergejoin", "off"), ("enable_seqscan", "off"), ("jit", "off"),
            ("synchronous_commit", "on"),
        ]
        return options
    }

    /// A pool of two connections. Waits are long, since what waits is kept anyway; admission is
    /// refused long before.
    static func pool(
        _ settings: LedgerSettings, _ name: String, mostWaiting: Int, _ logger: Logger
    ) throws(PostgresError) -> any LedgerPool {
        var options = PostgresPoolOptions()
        options.connections = 2
        options.mostWaiting = mostWaiting
        options.longestWait = .seconds(30)
        return PostgresLedgerPool(
            pool: try PostgresPool(
                url: settings.databaseURL,
                connectionOptions: Self.options(settings, name: name), options: options,
                logger: logger))
    }
}

/// Lease orders in the order they were made. Bounded by the number of accounts in use: one order
/// per account is under way at a time.
struct OrderQueue: Sendable {
    /// What a clerk is asked to do.
    enum Work: Sendable {
        case order(LeaseOrder, under: LaneKey)
        /// Lease cells of rate limits.
        case rates([RateOrder])
        /// Set a swept request right.
        case correction(Closing)
    }

    /// Work and the shard it belongs to.
    struct Entry: Sendable {
        let work: Work
        let shard: ShardLedger
    }

    let entries: AsyncStream<Entry>
    private let input: AsyncStream<Entry>.Continuation

    init() { (entries, input) = AsyncStream.makeStream(of: Entry.self) }

    func send(_ work: Work, of shard: ShardLedger) {
        input.yield(Entry(work: work, shard: shard))
    }

    /// No more orders will come; those under way go on.
    func finish() { input.finish() }
}
