import Domain
import Foundation
import Gateway
import Ledger
import Logging
import Postgres
import ServiceLifecycle
import Synchronization
import TurnpikeConfiguration

/// Keeps what requests resolve against: reads the configuration file again at each SIGHUP and each
/// time it has changed, and puts its models and prices in force, all of them, or none when anything
/// is wrong with the file; and looks every two seconds whether the register of prices has others.
/// Requests that have resolved keep what they resolved to.
// A class, which describes itself by its name alone: services are logged by their descriptions, and
// the environment holds keys.
final class CatalogReload: Service {
    /// What makes it read the file.
    private enum Occasion {
        case signal, change
        /// The ledger did not take what the file says, and has had some time since.
        case ledger
        /// It is time to look at the register of prices, which needs no file.
        case prices
    }

    /// What one reading came to.
    private enum Outcome: Equatable {
        case taken, unchanged, refused
        /// The file is good, and the ledger could not take it.
        case owed
    }

    /// How long a price that was set by command may take to be in force here.
    static let interval: Duration = .seconds(2)

    private struct State {
        /// The file as it is in force.
        var configuration: Configuration
        /// The number of the register of prices that is in force.
        var revision: Int64
    }

    /// How long a ledger that could not take the catalog is left alone.
    private static let ledgerPause = Duration.seconds(2)

    private let running: Configuration
    private let environment: [String: String]
    private let catalog: CatalogHolder
    private let backends: BackendRegistry
    private let ledger: PostgresQuotaLedger
    private let pool: PostgresPool
    private let random: LedgerRandom
    private let reloads: Reloads?
    private let logger: Logger
    private let state: Mutex<State>
    /// The file as it was last judged, and what was wrong with it then.
    private let last: Mutex<(file: Data?, complaint: String?)>

    /// Reloads into `catalog` what `running` was read from, on `reloads`, and prices from the
    /// register, of which `revision` is in force.
    init(
        running: Configuration, revision: Int64, environment: [String: String],
        catalog: CatalogHolder, backends: BackendRegistry, ledger: PostgresQuotaLedger,
        pool: PostgresPool, random: LedgerRandom, reloads: Reloads?, logger: Logger
    ) {
        self.running = running
        self.environment = environment
        self.catalog = catalog
        self.backends = backends
        self.ledger = ledger
        self.pool = pool
        self.random = random
        self.reloads = reloads
        self.logger = logger
        state = Mutex(State(configuration: running, revision: revision))
        last = Mutex((reloads?.file, nil))
    }

    /// What an operator should know of the configuration file, for `/readyz`.
    var warnings: [String] {
        last.withLock { $0.complaint } == nil
            ? []
            : ["the configuration file was refused, and an earlier one is in force: see the log"]
    }

    /// Waits for signals and changes, and looks at prices, until the program stops. One after the
    /// other: of a file and prices that come at once neither undoes the other.
    func run() async throws {
        let watch = running.reloadsOnChange ? reloads?.watch : nil
        if let failure = watch?.failure {
            logger.warning(
                "changes of the configuration file are not seen; SIGHUP has it read",
                metadata: ["error": "\(failure)"])
        }
        let (occasions, news) = AsyncStream<Occasion>.makeStream(
            bufferingPolicy: .bufferingOldest(8))
        await withDiscardingTaskGroup { group in
            if let signals = reloads?.signals {
                group.addTask { for await _ in signals.numbers { news.yield(.signal) } }
            }
            if let watch {
                group.addTask { for await _ in watch.changes { news.yield(.change) } }
            }
            group.addTask {
                // Cancelled when the program stops: the loop's end.
                while (try? await Task.sleep(for: Self.interval)) != nil { news.yield(.prices) }
            }
            var isOwed = false
            for await occasion in occasions.cancelOnGracefulShutdown() {
                if occasion == .prices {
                    await lookAtPrices()
                    continue
                }
                // What was owed may have been taken meanwhile, or the file changed for the worse.
                if occasion == .ledger, !isOwed { continue }
                let outcome = await reload(occasion)
                if outcome != .unchanged { isOwed = outcome == .owed }
                guard outcome == .owed else { continue }
                group.addTask {
                    guard (try? await Task.sleep(for: Self.ledgerPause)) != nil else { return }
                    news.yield(.ledger)
                }
            }
            group.cancelAll()
        }
    }

    private func reload(_ occasion: Occasion) async -> Outcome {
        let file = FileManager.default.contents(atPath: running.file)
        let before = last.withLock { last in
            defer { last.file = file }
            return last
        }
        if occasion == .change, before.file == file { return .unchanged }
        let next: Configuration
        do {
            next = try read()
        } catch {
            refuse("the configuration file was refused; the catalog stays as it was", error)
            return .refused
        }
        let found: PricedCatalog
        do {
            found = try await asking { store throws(LedgerError) in
                try PricedCatalog.registering(next, store)
            }
            // Before a request can resolve to a name, the ledger's rows must be able to bear it.
            try await ledger.adopt(found.names)
        } catch {
            // Told once, not each time that it is tried.
            if occasion != .ledger || before.complaint != "\(error)" {
                refuse(
                    """
                    the catalog was refused by the ledger, which did not take its names and prices; \
                    it stays as it was and is tried again
                    """,
                    error)
            }
            return .owed
        }
        last.withLock { $0.complaint = nil }
        take(next, found)
        return .taken
    }

    private func refuse(_ words: Logger.Message, _ error: any Error) {
        last.withLock { $0.complaint = "\(error)" }
        logger.error(words, metadata: ["error": "\(error)"])
    }

    /// Puts other prices in force, if the register has any.
    private func lookAtPrices() async {
        let (configuration, known) = state.withLock { ($0.configuration, $0.revision) }
        do {
            let found = try await asking { store throws(LedgerError) -> PricedCatalog? in
                guard try store.revision() != known else { return nil }
                return PricedCatalog(configuration, try store.current())
            }
            guard let found else { return }
            try await ledger.adopt(found.names)
            let change = put(configuration, found)
            // Any change in the register's shard has raised its number.
            guard !change.changed.isEmpty else { return }
            logger.notice(
                "prices were reloaded", metadata: ["changed": "\(list(change.changed))"])
        } catch {
            // While the ledger is away nothing is admitted at other prices either; what matters of
            // that is logged by those who need it more.
            logger.debug("prices were not looked at", metadata: ["error": "\(error)"])
        }
    }

    private func put(_ configuration: Configuration, _ found: PricedCatalog) -> CatalogChange {
        let before = catalog.current
        catalog.replace(with: found.catalog)
        state.withLock { $0 = State(configuration: configuration, revision: found.revision) }
        return CatalogChange(from: before.all, to: found.routes)
    }

    private func asking<Value: Sendable>(
        _ body: @escaping @Sendable (PriceStore) throws(LedgerError) -> Value
    ) async throws -> Value {
        try await pool.run { [random] connection throws(PostgresError) in
            Result { () throws(LedgerError) in
                try body(PriceStore(connection, random: random, author: Wiring.author))
            }
        }.get()
    }

    private func take(_ next: Configuration, _ found: PricedCatalog) {
        let change = put(next, found)
        backends.setEngineMemory(next.engineMemory)
        logger.notice(
            "the catalog was reloaded",
            metadata: [
                "added": "\(list(change.added))", "removed": "\(list(change.removed))",
                "changed": "\(list(change.changed))",
            ])
        let later = running.keysThatNeedARestart(in: next)
        if !later.isEmpty {
            logger.warning(
                "other settings have changed too and wait for a restart",
                metadata: ["keys": "\(list(later))"])
        }
    }

    private func read() throws -> Configuration {
        let next = try Configuration.load(
            path: running.file, environment: { [environment] in environment[$0] })
        try backends.checkEngineMemory(next.engineMemory)
        let known = Dictionary(running.backends.map { ($0.name, $0.kind) }) { first, _ in first }
        for route in next.routes {
            if route.shadow != nil, running.shadowKeyVariable == nil {
                throw StartupFailure(
                    "models.\(route.alias).shadow: nobody pays for copies yet; restart to take "
                        + "routing.shadow_api_key_env")
            }
            for backend in route.backends + [route.shadow?.target.backend].compactMap(\.self) {
                try check(route, on: backend, known[backend])
            }
        }
        return next
    }

    /// Throws where a model needs a backend that is not there, or more of an engine than it was
    /// started with: its prompts would be admitted, and fail at the engine.
    private func check(
        _ route: ModelRoute, on backend: String, _ kind: BackendDescription.Kind?
    ) throws(StartupFailure) {
        switch kind {
        case .localEngine(let engine):
            guard engine.contextTokens < route.contextTokens else { return }
            throw StartupFailure(
                "models.\(route.alias).context_tokens: \(route.contextTokens) is more than a slot "
                    + "of \(backend) has, which runs with \(engine.contextTokens); restart to give it "
                    + "more")
        case .openAI, .anthropic: return
        case nil:
            throw StartupFailure(
                "models.\(route.alias): the backend \(backend) is not running yet; restart to "
                    + "add a backend")
        }
    }

    private func list(_ names: [String]) -> String {
        names.isEmpty ? "none" : names.sorted().joined(separator: ", ")
    }
}

extension Configuration {
    /// What the local engines may take together, in bytes; nil is as much as there is.
    var engineMemory: Int64? { engines.memoryBudgetMegabytes.map { $0 * 1_000_000 } }
}
