public import Domain
public import Logging
import NIOCore
public import ServiceLifecycle

/// The gateway, put together: who may call, what they may use, what answers, and the two listeners.
public struct Gateway: Sendable {
    /// Answers clients. Stops by finishing what runs, for as long as the configuration allows.
    public let main: any Service
    /// Answers probes. Stop it after `main`, so that `/readyz` says "draining" meanwhile.
    public let admin: any Service
    /// Runs copies of requests. Stop it before `main`.
    public let shadows: any Service
    /// What the gateway is doing.
    public let activity: GatewayActivity

    /// Puts a gateway together.
    ///
    /// - Parameters:
    ///   - recognizers: find personal data, beside the built-in one.
    ///   - running: ends requests whose key ends.
    ///   - random: gives 64 random bits; used for request ids and to spread retries, not for
    ///     secrets.
    ///   - readiness: what beside the backends and draining keeps the gateway from serving: the
    ///     ledger's view.
    ///   - api: the admin HTTP API, on the listener of probes; nil serves none.
    ///   - metrics: what `/metrics` tells, beside what the gateway itself counts in it.
    ///   - onRunning: called once for each listener with the address it is bound to.
    public init(
        configuration: GatewayConfiguration, keys: any KeyDirectory, ledger: any QuotaLedger,
        idempotency: any IdempotencyLedger, books: any TenantBooks, catalog: CatalogHolder,
        backends: BackendSet,
        recognizers: [any TextRecognizer] = [], running: RunningKeys, time: any TimeSource,
        random: @escaping @Sendable () -> UInt64, logger: Logger,
        readiness: @escaping @Sendable () async -> Readiness,
        api: (any AdminAPI)? = nil, metrics: MetricsRegistry = MetricsRegistry(),
        onRunning: @escaping @Sendable (ListenerName, BoundAddress) async -> Void
    ) {
        let activity = GatewayActivity()
        self.activity = activity
        let runner = ShadowRunner(most: Int(configuration.routing.shadowCalls))
        shadows = runner
        let pipeline = CompletionPipeline(
            ledger: ledger, idempotency: idempotency, keys: keys, catalog: catalog,
            routing: Routing(
                backends, configuration.routing, random: random,
                // Cut short when nobody waits any more.
                pause: { try? await Task.sleep(for: $0) }),
            time: time,
            defaultCompletionTokens: configuration.defaultCompletionTokens,
            safeguard: Safeguard(
                personalData: PersonalDataCheck(
                    recognizers: [StructuredRecognizer()] + recognizers),
                random: random,
                room: CheckRoom(configuration.checks, processors: System.coreCount)),
            judge: configuration.judge.map {
                Judge(configuration: $0, keys: keys, random: random)
            },
            shadows: configuration.shadowKey.map { Shadows(key: $0, keys: keys, runner: runner) })
        let core = GatewayCore(
            configuration: configuration, keys: keys, ledger: ledger, books: books,
            catalog: catalog, pipeline: pipeline, time: time, random: random, activity: activity,
            running: running,
            metrics: GatewayMetrics(in: metrics), accessLog: AccessLog(logger: logger),
            documents: PublishedDocument.publish(APIReference(ReferenceLimits(configuration))))
        main = Listener(
            name: .main, address: configuration.listen, limits: configuration.connection,
            mostConnections: configuration.mostConnections,
            drainTime: configuration.drainTime, time: time, activity: activity, logger: logger,
            onRunning: onRunning
        ) { executor in GatewayResponder(core, executor: executor) }
        admin = Listener(
            name: .admin, address: configuration.adminListen, limits: configuration.connection,
            mostConnections: configuration.mostConnections,
            drainTime: .seconds(1), time: time, activity: nil, logger: logger, onRunning: onRunning
        ) { _ in
            AdminResponder(activity: activity, api: api, metrics: metrics) {
                var readiness = await readiness()
                readiness.reasons += backends.unavailabilities
                return readiness
            }
        }
    }
}
