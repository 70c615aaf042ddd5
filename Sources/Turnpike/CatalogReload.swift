import Domain
import Foundation
import Gateway
import Ledger
import Logging
import ServiceLifecycle
import Synchronization
import TurnpikeConfiguration

/// Reads the configuration file again at each SIGHUP and each time it has changed, and puts its
/// models and prices in force: all of them, or none when anything is wrong with the file. Requests
/// that have resolved keep what they resolved to.
// A class, which describes itself by its name alone: services are logged by their descriptions, and
// the environment holds keys.
final class CatalogReload: Service {
    /// What makes it read the file.
    private enum Occasion {
        case signal, change
        /// The ledger did not take what the file says, and has had some time since.
        case ledger
    }

    /// What one reading came to.
    private enum Outcome: Equatable {
        case taken, unchanged, refused
        /// The file is good, and the ledger could not take it.
        case owed
    }

    /// How long a ledger that could not take the catalog is left alone.
    private static let ledgerPause = Duration.seconds(2)

    private let running: Configuration
    private let environment: [String: String]
    private let catalog: CatalogHolder
    private let backends: BackendRegistry
    private let ledger: PostgresQuotaLedger
    private let reloads: Reloads
    private let logger: Logger
    /// The file as it was last judged, and what was wrong with it then.
    private let last: Mutex<(file: Data?, complaint: String?)>

    /// Reloads into `catalog` what `running` was read from.
    init(
        running: Configuration, environment: [String: String], catalog: CatalogHolder,
        backends: BackendRegistry, ledger: PostgresQuotaLedger, reloads: Reloads, logger: Logger
    ) {
        self.running = running
        self.environment = environment
        self.catalog = catalog
        self.backends = backends
        self.ledger = ledger
        self.reloads = reloads
        self.logger = logger
        last = Mutex((reloads.file, nil))
    }

    /// What an operator should know of the configuration file, for `/readyz`.
    var warnings: [String] {
        last.withLock { $0.complaint } == nil
            ? []
            : ["the configuration file was refused, and an earlier one is in force: see the log"]
    }

    /// Waits for signals and changes until the program stops.
    func run() async throws {
        let watch = running.reloadsOnChange ? reloads.watch : nil
        if let failure = watch?.failure {
            logger.warning(
                "changes of the configuration file are not seen; SIGHUP has it read",
                metadata: ["error": "\(failure)"])
        }
        let (occasions, news) = AsyncStream<Occasion>.makeStream(
            bufferingPolicy: .bufferingOldest(8))
        await withDiscardingTaskGroup { group in
            group.addTask { [signals = reloads.signals] in
                for await _ in signals.numbers { news.yield(.signal) }
            }
            if let watch {
                group.addTask { for await _ in watch.changes { news.yield(.change) } }
            }
            var isOwed = false
            for await occasion in occasions.cancelOnGracefulShutdown() {
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
        do {
            // Before a request can resolve to a name, the ledger's rows must be able to bear it.
            try await ledger.adopt(CatalogNames(next))
        } catch {
            // Told once, not each time that it is tried.
            if occasion != .ledger || before.complaint != "\(error)" {
                refuse(
                    "the catalog was refused by the ledger; it stays as it was and is tried again",
                    error)
            }
            return .owed
        }
        last.withLock { $0.complaint = nil }
        take(next)
        return .taken
    }

    private func refuse(_ words: Logger.Message, _ error: any Error) {
        last.withLock { $0.complaint = "\(error)" }
        logger.error(words, metadata: ["error": "\(error)"])
    }

    private func take(_ next: Configuration) {
        let before = catalog.current
        catalog.replace(with: next.catalog)
        backends.setEngineMemory(next.engineMemory)
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
