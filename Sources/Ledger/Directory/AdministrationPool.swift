import Domain
public import Logging
import Postgres
public import ServiceLifecycle

/// The directory for many administrators at once: the work of the admin HTTP API, which waits for
/// the database, on threads of its own.
///
/// Two pieces of work run at a time and a few wait; the others are turned away at once. Nothing of
/// it is shared with lanes, grants or look-ups of keys, so that no report slows a request down.
public final class AdministrationPool: Service, Sendable {
    private let pool: PostgresPool
    private let random: LedgerRandom

    /// Why a piece of work was not done.
    public enum Obstacle: Error, Sendable {
        /// Too many at once. Nothing was changed.
        case busy
        /// What the ledger said.
        case ledger(LedgerError)
    }

    /// Makes the pool; nothing is asked of Postgres yet. Throws when the URL cannot be used.
    public init(url: String, random: LedgerRandom, logger: Logger) throws(LedgerError) {
        self.random = random
        do throws(PostgresError) {
            pool = try PostgresPool(
                url: url, connectionOptions: Self.connectionOptions, options: Self.poolOptions,
                logger: logger)
        } catch {
            throw LedgerError(error)
        }
    }

    /// Work that runs at the same time.
    public static let width = 2
    /// Work that waits for its turn.
    public static let mostWaiting = 16

    /// The author until a key has been found good: whoever that is changes nothing.
    private static let stranger = ActionAuthor(way: .api, name: "nobody")

    private static var poolOptions: PostgresPoolOptions {
        var options = PostgresPoolOptions()
        options.connections = width
        options.mostWaiting = mostWaiting
        options.longestWait = .seconds(5)
        return options
    }

    private static var connectionOptions: PostgresConnectionOptions {
        var options = PostgresConnectionOptions()
        options.applicationName = "turnpike admin api"
        options.statementTimeout = .seconds(30)
        options.lockTimeout = .seconds(10)
        return options
    }

    /// Runs `body` with the directory, in nobody's name, on one of the pool's threads; `body` may wait for the
    /// database and must not keep the directory. What it throws is its own affair: it is returned.
    public func run<Value: Sendable>(
        _ body: @escaping @Sendable (DirectoryStore) -> Value
    ) async throws(Obstacle) -> Value {
        let random = random
        do throws(PostgresError) {
            return try await pool.run { connection throws(PostgresError) in
                body(DirectoryStore(connection, random: random, author: Self.stranger))
            }
        } catch {
            if case .overloaded = error.kind { throw .busy }
            throw .ledger(LedgerError(error))
        }
    }

    /// Ends the connections when the service group stops.
    public func run() async throws {
        // Cancelled is the same end, sooner.
        try? await gracefulShutdown()
        await stop()
    }

    /// Refuses what waits, lets what runs finish, and closes the connections.
    public func stop() async { await pool.shutdown() }
}
