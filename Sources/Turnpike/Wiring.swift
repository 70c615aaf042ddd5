import Domain
import Foundation
import Gateway
import Ledger
import Logging
import OpenSSL
import Postgres
import ServiceLifecycle
import TurnpikeConfiguration

/// Where the two listeners listen, once they do.
struct ServingAddresses: Sendable {
    var listen: ListenAddress
    var adminListen: ListenAddress
}

/// All rooms, put together: the only place that knows them all.
struct Wiring: Sendable {
    let configuration: Configuration
    let environment: [String: String]
    /// An operator's word that a ledger older than the journal is right.
    let acceptsOlderLedger: Bool
    let time: any TimeSource
    let logger: Logger
    let random: LedgerRandom
    /// The pepper of new keys, and the second one if there is one.
    let peppers: [Ledger.Pepper]
    /// What has the configuration file read again; nil where it never is.
    var reloads: Reloads?

    /// Reads the peppers; opens nothing else.
    init(
        configuration: Configuration, environment: [String: String], acceptsOlderLedger: Bool,
        time: any TimeSource, logger: Logger
    ) throws {
        self.configuration = configuration
        self.environment = environment
        self.acceptsOlderLedger = acceptsOlderLedger
        self.time = time
        self.logger = logger
        random = LedgerRandom { SystemRandom.bits() }
        var peppers = [
            try Self.pepper(
                configuration.pepperID, TurnpikeConfiguration.Pepper(for: configuration))
        ]
        if let other = configuration.otherPepper {
            peppers.append(
                try Self.pepper(
                    other.id,
                    TurnpikeConfiguration.Pepper(
                        file: other.file, key: "other_pepper.file", of: configuration.file)))
        }
        self.peppers = peppers
    }

    /// The pepper that new keys are made under.
    var pepper: Ledger.Pepper { peppers[0] }

    private static func pepper(
        _ id: Int16, _ file: consuming TurnpikeConfiguration.Pepper
    ) throws(LedgerError) -> Ledger.Pepper {
        try file.withBytes { bytes throws(LedgerError) in
            try Ledger.Pepper(id: id, bytes: copy bytes)
        }
    }

    /// The author of what the gateway itself changes: prices that its file says, and the first team
    /// and key of `turnpike up`.
    static let author = ActionAuthor(
        way: .gateway, name: "gateway \(ProcessInfo.processInfo.hostName)")

    /// Brings the database to this version's schema; returns how many files were applied.
    static func migrate(_ configuration: Configuration) async throws -> Int {
        try await withDatabase(configuration) { connection throws(LedgerError) in
            try Migrator().migrate(connection).applied.count
        }
    }

    /// Refuses a database that is not at this version's schema.
    func checkSchema() async throws {
        let state = try await Self.withDatabase(configuration) { connection throws(LedgerError) in
            try Migrator().check(connection)
        }
        guard case .current = state else { throw StartupFailure(state.description) }
    }

    /// Runs blocking work on a connection of its own, on a thread of its own: never on the
    /// cooperative pool.
    static func withDatabase<Value: Sendable>(
        _ configuration: Configuration,
        _ body: @escaping @Sendable (PostgresConnection) throws(LedgerError) -> Value
    ) async throws -> Value {
        let url = configuration.database.connectionString
        let outcome: Result<Value, any Error> = await withCheckedContinuation { continuation in
            let thread = Thread {
                continuation.resume(
                    returning: Result {
                        var options = PostgresConnectionOptions()
                        options.applicationName = "turnpike start"
                        options.connectTimeout = PostgresConnectionOptions.patience
                        let connection = try PostgresConnection(url: url, options: options)
                        defer { connection.close() }
                        return try body(connection)
                    })
            }
            thread.name = "turnpike-start"
            thread.start()
        }
        return try outcome.get()
    }

    /// Serves until a stop is asked for, then stops in the reverse order of the start. `besides`
    /// are started first and stopped last. `whenServing` is called once the listeners listen and
    /// the ledger answers, and with `needsEngines` not before every engine has loaded its model.
    func run(
        until stop: StopRequest, besides: [any Service], needsEngines: Bool,
        whenServing: @escaping @Sendable (ServingAddresses) -> Void
    ) async throws {
        try await checkSchema()
        let catalog = try await Self.withDatabase(configuration) {
            [configuration, random] connection throws(LedgerError) in
            try PricedCatalog.registering(
                configuration, PriceStore(connection, random: random, author: Self.author))
        }
        let rooms = try Rooms(self, catalog)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: (besides + rooms.services).map { service in
                    ServiceGroupConfiguration.ServiceConfiguration(
                        service: service, successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup)
                }, logger: logger))
        let (stops, stopping) = AsyncStream<Void>.makeStream()
        stop.act { stopping.finish() }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                for await _ in stops {}
                await group.triggerGracefulShutdown()
            }
            tasks.addTask {
                do {
                    whenServing(try await rooms.serving(needsEngines: needsEngines))
                } catch {
                    // Asked to stop, whatever was starting is cut short: that is no failure.
                    if stop.isRequested { return }
                    stopping.finish()
                    throw error
                }
            }
            var failure: (any Error)?
            do { try await group.run() } catch { failure = error }
            stopping.finish()
            tasks.cancelAll()
            while let outcome = await tasks.nextResult() {
                // What failed first is what is told; the rest follows from it.
                if case .failure(let error) = outcome, !(error is CancellationError) {
                    failure = failure ?? error
                }
            }
            if let failure { throw rooms.explained(failure) }
        }
    }
}
