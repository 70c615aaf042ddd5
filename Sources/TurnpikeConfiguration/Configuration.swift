public import Domain

/// What a gateway runs with: one YAML file, read and checked whole.
public struct Configuration: Sendable {
    /// Where the file was read from, as it was named.
    public var file: String
    /// Where clients call.
    public var listen: ListenAddress
    /// Where health and metrics are read, and where the admin HTTP API is.
    public var adminListen: ListenAddress
    /// Whether the admin HTTP API is served there.
    public var adminAPI: AdminAPIPolicy
    /// The ledger's database.
    public var database: DatabaseLocation
    /// The folder of the journal.
    public var dataDirectory: String
    /// The file that holds the pepper of the keys' digests.
    public var pepperFile: String
    /// The number of that pepper in key records, 1 to 32767.
    public var pepperID: Int16
    /// A second pepper that keys may be under: the one before, or the one to come.
    public var otherPepper: PepperLocation?
    /// What the keys that are minted begin with.
    public var keyPrefix: String
    /// Whether the models are read again when the file has changed, and not at a signal only.
    public var reloadsOnChange: Bool
    /// Every backend, by name in the file's order.
    public var backends: [BackendDescription]
    /// What the local engines share.
    public var engines: EnginesDescription
    /// Every model alias, in the file's order.
    public var routes: [ModelRoute]
    /// How requests are tried again, and when a backend is left alone.
    public var routing: RoutingPolicy
    /// The environment variable that holds the API key which pays for copies of requests; nil where
    /// none are made.
    public var shadowKeyVariable: String?
    /// What one client may ask of the gateway.
    public var limits: LimitsConfiguration
    /// Whether answers to requests with an `Idempotency-Key` are kept for their retries.
    public var storesAnswers: Bool
    /// The model that judges texts for safeguards; nil where there is none.
    public var judge: JudgeDescription?
    /// The service that finds personal data beside the built-in recogniser; nil where there is none.
    public var analyzer: AnalyzerDescription?
    /// At which parts of a quota answers carry a warning and events are noted.
    public var quotaWarnings: QuotaThresholds
    /// Who is told of events, in the file's order.
    public var webhooks: [WebhookDescription]
    /// How long events are kept.
    public var eventRetention: EventRetention
    /// The least serious message that is logged.
    public var logLevel: LogLevel
    /// How a log line is written.
    public var logFormat: LogFormat
    /// How long running requests may take to finish at a stop.
    public var drainTimeout: Duration
    /// How long the end of an answer waits for the ledger.
    public var endWait: Duration
    /// How often a quiet node shows the ledger that it lives.
    public var heartbeatInterval: Duration
    /// After how long without a sign of life a node is taken for dead.
    public var fenceAfter: Duration
    /// How often a node looks for dead nodes' open requests.
    public var sweepInterval: Duration

    /// Every model alias as the immutable snapshot that requests are resolved against.
    public var catalog: Catalog { Catalog(routes: routes) }
}

/// Whether the admin HTTP API is served.
public enum AdminAPIPolicy: String, Sendable, CaseIterable {
    /// Where only this machine can reach it: a socket or a loopback address.
    case local
    /// Wherever `admin_listen` is.
    case `public`
    /// Nowhere.
    case off
}

extension Configuration {
    /// Whether the admin HTTP API is served.
    public var servesAdminAPI: Bool {
        switch adminAPI {
        case .local: adminListen.isLoopback
        case .public: true
        case .off: false
        }
    }
}

/// Where a pepper is.
public struct PepperLocation: Sendable, Hashable {
    /// The file that holds it.
    public let file: String
    /// Its number in key records, 1 to 32767.
    public let id: Int16
}

/// A libpq connection string or URL, which may hold a password and is therefore never printed.
public struct DatabaseLocation: Sendable, Hashable, CustomStringConvertible,
    CustomDebugStringConvertible, CustomReflectable
{
    /// What libpq is given.
    public let connectionString: String

    /// Makes a location of what libpq is given.
    public init(connectionString: String) { self.connectionString = connectionString }

    /// Nothing of the string.
    public var description: String { "(database)" }
    /// Nothing of the string.
    public var debugDescription: String { description }
    /// Nothing of the string.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// What one client may ask of the gateway.
public struct LimitsConfiguration: Sendable, Hashable {
    /// The largest request body, in bytes.
    public var maximumBodyBytes: Int64
    /// The most choices (`n`) of one request.
    public var maximumChoices: Int64
    /// The most that its running requests may hold of a quota it shares with other keys, in per cent.
    public var keySharePercent: Int64
}

/// The least serious message that is logged, in swift-log's words.
public enum LogLevel: String, Sendable, CaseIterable {
    case trace, debug, info, notice, warning, error, critical
}

/// How a log line is written.
public enum LogFormat: String, Sendable, CaseIterable {
    /// For people: `time level message key=value`.
    case text
    /// For machines: one JSON object.
    case json
}
