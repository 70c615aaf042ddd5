import Postgres

/// What the node's steps need of a connection to the ledger.
///
/// In the program it is Postgres' own; under the deterministic simulation it is a ledger in memory,
/// and the steps that run over it are the same.
protocol LedgerConnection {
    /// Runs one command, its own transaction; see ``PostgresConnection``.
    func execute(_ command: PostgresCommand) throws(PostgresError) -> PostgresResult

    /// Sends all commands at once and returns their results in order; see ``PostgresConnection``.
    func pipeline(_ commands: [PostgresCommand]) throws(PostgresError) -> [PostgresResult]
}

extension PostgresConnection: LedgerConnection {
    func execute(_ command: PostgresCommand) throws(PostgresError) -> PostgresResult {
        try execute(command, within: nil)
    }

    func pipeline(_ commands: [PostgresCommand]) throws(PostgresError) -> [PostgresResult] {
        try pipeline(commands, within: nil)
    }
}

/// A few connections to the ledger for tasks to share; see ``PostgresPool``.
protocol LedgerPool: Sendable {
    /// Runs `body`, which may block, with a connection that it must not keep.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable (any LedgerConnection) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value

    /// Refuses what waits, lets what runs finish, closes the connections.
    func shutdown() async
}

/// The program's pool.
struct PostgresLedgerPool: LedgerPool {
    let pool: PostgresPool

    func run<Value: Sendable>(
        _ body: @escaping @Sendable (any LedgerConnection) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        try await pool.run { connection throws(PostgresError) in try body(connection) }
    }

    func shutdown() async { await pool.shutdown() }
}
