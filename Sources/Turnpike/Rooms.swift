import Admin
import Domain
import Foundation
import Gateway
import Ledger
import Logging
import OpenSSL
import Postgres
import ServiceLifecycle
import Synchronization
import TurnpikeConfiguration

/// The rooms of one running gateway, made of its configuration.
struct Rooms: Sendable {
    private let configuration: Configuration
    private let backends: BackendRegistry
    private let keys: CachedKeyDirectory
    private let ledger: PostgresQuotaLedger
    private let idempotency: PostgresIdempotencyLedger
    private let books: PostgresTenantBooks
    private let administration: AdministrationPool
    private let events: PostgresEventLedger
    private let webhooks: any Service
    private let gateway: Gateway
    private let pool: PostgresPool
    private let reload: CatalogReload
    private let bound = BoundListeners()

    /// Makes the rooms, which begin with `priced`; nothing runs yet.
    init(_ wiring: Wiring, _ priced: PricedCatalog) throws {
        let configuration = wiring.configuration
        self.configuration = configuration
        let url = configuration.database.connectionString
        backends = try BackendRegistry(
            BackendWiring(configuration: configuration, environment: wiring.environment).all(),
            engineMemory: configuration.engineMemory,
            logger: wiring.logger, time: wiring.time, random: { SystemRandom.bits() })
        let settings = Self.settings(wiring, priced.names)
        ledger = try PostgresQuotaLedger(
            settings, time: wiring.time, random: wiring.random,
            logger: wiring.logger)
        idempotency = try PostgresIdempotencyLedger(
            settings, of: ledger, replaysAnswers: configuration.storesAnswers,
            time: wiring.time, logger: wiring.logger)
        let metrics = MetricsRegistry()
        (events, webhooks) = try Self.events(wiring, settings, ledger, backends, metrics)
        pool = try PostgresPool(
            url: url, connectionOptions: CachedKeyDirectory.connectionOptions,
            options: CachedKeyDirectory.poolOptions, logger: wiring.logger)
        let running = RunningKeys(time: wiring.time)
        keys = CachedKeyDirectory(
            peppers: wiring.peppers, pool: pool, time: wiring.time, random: wiring.random,
            logger: wiring.logger,
            onChange: { changes in
                for change in changes {
                    if let end = change.end { running.end(change.key, because: end) }
                }
            })
        books = try PostgresTenantBooks(
            url: url, time: wiring.time, random: wiring.random, logger: wiring.logger)
        administration = try AdministrationPool(
            url: url, random: wiring.random, logger: wiring.logger)
        var recognizers: [any TextRecognizer] = []
        if let analyzer = configuration.analyzer {
            recognizers.append(backends.recognizer(analyzer.forGateway))
        }
        let (ledger, backends) = (ledger, backends)
        let catalog = CatalogHolder(priced.catalog)
        reload = CatalogReload(
            running: configuration, revision: priced.revision, environment: wiring.environment,
            catalog: catalog, backends: backends, ledger: ledger, pool: pool,
            random: wiring.random, reloads: wiring.reloads, logger: wiring.logger)
        gateway = Gateway(
            configuration: try Self.gatewayConfiguration(configuration, wiring.environment),
            keys: keys, ledger: ledger,
            idempotency: idempotency, books: books, catalog: catalog,
            backends: backends.set,
            recognizers: recognizers, running: running,
            time: wiring.time, random: { SystemRandom.bits() }, logger: wiring.logger,
            readiness: { [reload] in
                Readiness(
                    reasons: ledger.isReady ? [] : ["the ledger does not answer"],
                    warnings: reload.warnings)
            },
            api: Self.api(wiring, administration), metrics: metrics,
            onRunning: { [bound] name, address in bound.note(name, address) })
    }

    /// In the order of their start; stopped in the reverse one. The admin listener outlives the
    /// main one, so that probes see it draining.
    var services: [any Service] {
        [PoolService(pool: pool)] + backends.services
            + [
                keys, books, administration, events, webhooks, idempotency, ledger,
                gateway.admin, gateway.main,
                gateway.shadows,
                ledger.journalWatch, reload,
            ]
    }

    /// Returns once everything answers. Throws when an engine does not start.
    func serving(needsEngines: Bool) async throws -> ServingAddresses {
        let addresses = try await bound.both()
        if needsEngines { try await backends.waitUntilReady(timeout: .seconds(300)) }
        while !ledger.isReady { try await Task.sleep(for: .milliseconds(10)) }
        return addresses
    }

    /// An error of the start in words that help.
    func explained(_ error: any Error) -> any Error {
        guard "\(error)".contains("errno: \(EADDRINUSE)") else { return error }
        let missing = bound.isBound(.main) ? configuration.adminListen : configuration.listen
        return StartupFailure(
            "\(missing) is in use already; stop what listens there, or choose another address")
    }

    /// The admin HTTP API, where it is to be served.
    private static func api(_ wiring: Wiring, _ pool: AdministrationPool) -> (any AdminAPI)? {
        let configuration = wiring.configuration
        guard configuration.servesAdminAPI else {
            if configuration.adminAPI != .off {
                wiring.logger.notice(
                    "the admin API is not served: admin_listen can be reached from other machines",
                    metadata: ["next": "admin_api: public serves it there, off says nothing"])
            }
            return nil
        }
        return AdminHTTP(
            configuration: configuration, peppers: wiring.peppers, pool: pool,
            logger: wiring.logger,
            // Cut short when nobody waits any more.
            pause: { try? await Task.sleep(for: $0) })
    }

    /// What notes events, and what sends them.
    private static func events(
        _ wiring: Wiring, _ settings: LedgerSettings, _ ledger: PostgresQuotaLedger,
        _ backends: BackendRegistry, _ metrics: MetricsRegistry
    ) throws -> (PostgresEventLedger, any Service) {
        let webhooks = wiring.configuration.webhooks
        let events = try PostgresEventLedger(
            settings, of: ledger, webhooks: webhooks.map(\.subscription), time: wiring.time,
            random: wiring.random, logger: wiring.logger)
        let sender = backends.webhooks(
            try WebhookWiring(environment: wiring.environment).all(webhooks), outbox: events,
            time: wiring.time, random: { SystemRandom.bits() }, metrics: metrics,
            logger: wiring.logger)
        return (events, sender)
    }

    private static func settings(_ wiring: Wiring, _ names: CatalogNames) -> LedgerSettings {
        let configuration = wiring.configuration
        var settings = LedgerSettings(
            databaseURL: configuration.database.connectionString,
            dataDirectory: configuration.dataDirectory, models: names.models,
            backends: names.backends, prices: names.prices)
        settings.heartbeat = configuration.heartbeatInterval
        settings.fenceAfter = configuration.fenceAfter
        settings.sweepEvery = configuration.sweepInterval
        settings.settlementWait = configuration.endWait
        settings.thresholds = configuration.quotaWarnings
        settings.eventRetention = configuration.eventRetention
        settings.keySharePercent = configuration.limits.keySharePercent
        settings.acceptsOlderLedger = wiring.acceptsOlderLedger
        return settings
    }

    private static func gatewayConfiguration(
        _ configuration: Configuration, _ environment: [String: String]
    ) throws(StartupFailure) -> GatewayConfiguration {
        func address(_ address: ListenAddress) -> GatewayConfiguration.Address {
            address.socketPath.map { .unixSocket(path: $0) }
                ?? .tcp(host: address.host, port: address.port)
        }
        var gateway = GatewayConfiguration(
            listen: address(configuration.listen), adminListen: address(configuration.adminListen))
        gateway.connection.bodyBytes = Int(configuration.limits.maximumBodyBytes)
        gateway.mostChoices = Int(configuration.limits.maximumChoices)
        gateway.drainTime = configuration.drainTimeout
        gateway.routing = configuration.routing
        gateway.storesAnswers = configuration.storesAnswers
        func key(in variable: String) throws(StartupFailure) -> [UInt8] {
            let key = Array((environment[variable] ?? "").utf8)
            if key.isEmpty {
                throw StartupFailure("the environment variable \(variable) holds no key")
            }
            return key
        }
        if let variable = configuration.shadowKeyVariable {
            gateway.shadowKey = try key(in: variable)
        }
        if let judge = configuration.judge {
            gateway.judge = JudgeConfiguration(
                model: judge.model, key: try key(in: judge.apiKeyVariable),
                maximumCompletionTokens: judge.maximumCompletionTokens)
        }
        return gateway
    }
}

extension AnalyzerDescription {
    fileprivate var forGateway: AnalyzerConfiguration {
        AnalyzerConfiguration(
            baseURL: baseURL, language: language, minimumScore: Int(minimumScore),
            timeout: timeout)
    }
}

/// Ends the pool's threads at the stop.
private struct PoolService: Service {
    let pool: PostgresPool

    func run() async throws {
        do { try await gracefulShutdown() } catch is CancellationError {
            // The group was cancelled: the same end, sooner.
        }
        await pool.shutdown()
    }
}
