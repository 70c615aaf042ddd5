import Postgres
import Synchronization
import Testing

/// What the tests of the Postgres wrapper share: connections to a scratch server and short
/// commands.
extension ScratchPostgres {
    /// A connection to the maintenance database of the shared server, for tests that leave nothing
    /// there.
    static func connect(
        _ change: (inout PostgresConnectionOptions) -> Void = { _ in }
    ) throws -> PostgresConnection {
        try shared.get().connect(change)
    }

    /// A connection to this server's maintenance database.
    func connect(
        _ change: (inout PostgresConnectionOptions) -> Void = { _ in }
    ) throws -> PostgresConnection {
        var options = PostgresConnectionOptions()
        options.applicationName = "wrapper-tests"
        change(&options)
        return try PostgresConnection(url: url, options: options)
    }
}

/// An unnamed command.
func sql(_ text: String, _ parameters: PostgresValue...) -> PostgresCommand {
    PostgresCommand(PostgresStatement(name: nil, sql: text), parameters)
}

extension PostgresConnection {
    /// Waits until `condition`, a query of one truth value, holds.
    ///
    /// Asks again and again instead of sleeping: each question is a round trip, and other tasks run
    /// between two of them. Fails the test after very many.
    func wait(until condition: String, _ parameters: PostgresValue...) async throws {
        let command = PostgresCommand(PostgresStatement(name: "wait", sql: condition), parameters)
        for _ in 0..<300_000 {
            if try execute(command).rows[0].bool(0) { return }
            await Task.yield()
        }
        throw NeverCameTrue(condition: condition)
    }

    /// Waits until the server has ended the session of that process.
    func waitForEnd(of processID: Int32) async throws {
        try await wait(
            until: "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)",
            .int4(processID))
    }

    /// Ends the session of another connection, as an administrator would.
    func terminate(_ processID: Int32) throws {
        _ = try execute(sql("SELECT pg_terminate_backend($1)", .int4(processID)))
    }
}

/// Runs `body` expecting a `PostgresError`, and returns it.
func postgresError<Value>(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Value
) -> PostgresError? {
    #expect(throws: PostgresError.self, sourceLocation: sourceLocation) { _ = try body() }
}

/// Remembers, across threads, that something happened.
final class Flag: Sendable {
    private let state = Mutex(false)
    var isSet: Bool { state.withLock(\.self) }
    func set() { state.withLock { $0 = true } }
}

/// Remembers what a notice handler heard.
final class Heard: Sendable {
    private let state = Mutex<[PostgresNotice]>([])
    var notices: [PostgresNotice] { state.withLock(\.self) }
    func add(_ notice: PostgresNotice) { state.withLock { $0.append(notice) } }
}

/// A condition on the server that never held.
struct NeverCameTrue: Error { let condition: String }
