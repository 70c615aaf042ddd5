import Domain
import Gateway
import Ledger
import Logging
import ServiceLifecycle
import TurnpikeConfiguration

/// Reads the configuration file again at each SIGHUP and puts its models and prices in force: all of
/// them, or none when anything is wrong with the file. Requests that have resolved keep what they
/// resolved to.
// A class, which describes itself by its name alone: services are logged by their descriptions, and
// the environment holds keys.
final class CatalogReload: Service {
    private let running: Configuration
    private let environment: [String: String]
    private let catalog: CatalogHolder
    private let ledger: PostgresQuotaLedger
    private let signals: SignalSequence
    private let logger: Logger

    /// Reloads into `catalog` what `running` was read from.
    init(
        running: Configuration, environment: [String: String], catalog: CatalogHolder,
        ledger: PostgresQuotaLedger, signals: SignalSequence, logger: Logger
    ) {
        self.running = running
        self.environment = environment
        self.catalog = catalog
        self.ledger = ledger
        self.signals = signals
        self.logger = logger
    }

    /// Waits for signals until the program stops.
    func run() async throws {
        for await _ in signals.numbers.cancelOnGracefulShutdown() { await reload() }
    }

    private func reload() async {
        do {
            let next = try read()
            // Before a request can resolve to a name, the ledger's rows must be able to bear it.
            try await ledger.adopt(CatalogNames(next))
            let before = catalog.current
            catalog.replace(with: next.catalog)
            let change = CatalogChange(from: before.all, to: next.routes)
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
        } catch {
            logger.error(
                "the configuration file was refused; the catalog stays as it was",
                metadata: ["error": "\(error)"])
        }
    }

    private func read() throws -> Configuration {
        let next = try Configuration.load(
            path: running.file, environment: { [environment] in environment[$0] })
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

extension CatalogNames {
    /// The names that a configuration uses.
    init(_ configuration: Configuration) {
        let prices = configuration.routes.map { route in
            (route.alias, [route.price].compactMap(\.self) + Array(route.tiers.values))
        }
        self.init(
            models: configuration.routes.map(\.alias),
            backends: configuration.backends.map(\.name),
            prices: Dictionary(prices) { first, _ in first })
    }
}
