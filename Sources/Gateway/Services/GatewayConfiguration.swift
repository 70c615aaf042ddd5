public import Domain

/// How a gateway listens and what it allows. The defaults are those of the documentation.
public struct GatewayConfiguration: Sendable, Hashable {
    /// Where to listen.
    public enum Address: Sendable, Hashable {
        /// A host name or address, and a port; port 0 lets the system choose.
        case tcp(host: String, port: Int)
        /// A socket in the file system; a stale one in its place is removed.
        case unixSocket(path: String)
    }

    /// Where clients come in.
    public var listen: Address
    /// Where operators and probes come in; never public by default.
    public var adminListen: Address
    /// What one connection may take.
    public var connection = ConnectionLimits()
    /// The most connections at once on one listener; more wait in the system's queue.
    public var mostConnections = 8192
    /// How deep a body may nest.
    public var jsonDepth = 64
    /// The most values and names in a body.
    public var jsonNodes = 100_000
    /// The most stop sequences of a request.
    public var mostStops = 4
    /// The most choices of a request, at most 128. Each reserves a whole completion.
    public var mostChoices = 128
    /// The bound on completion tokens where neither the client nor its key names one.
    public var defaultCompletionTokens: Int64 = 4096
    /// Whether the answer to a request with an `Idempotency-Key` is kept, and given to its retries.
    public var storesAnswers = false
    /// How long running answers may go on after a stop was asked for.
    public var drainTime = Duration.seconds(30)

    /// How requests are tried again, and when a backend is left alone.
    public var routing = RoutingPolicy()

    /// The operator's own API key, which pays for copies of requests; nil makes none.
    public var shadowKey: [UInt8]?

    /// What checks of personal data may take of the machine.
    public var checks = CheckLimits()
    /// The model that judges texts for safeguards; nil refuses the checks that need one.
    public var judge: JudgeConfiguration?

    /// Makes a configuration with the default limits.
    public init(listen: Address, adminListen: Address) {
        self.listen = listen
        self.adminListen = adminListen
    }
}
