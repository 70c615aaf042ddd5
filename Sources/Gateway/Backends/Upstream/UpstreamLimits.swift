/// How long a backend may take and how much it may send.
public struct UpstreamLimits: Sendable, Equatable {
    /// For resolving, connecting and the TLS handshake.
    public var connectTimeout: Duration
    /// From the start of a call until the head of the answer.
    public var firstByteTimeout: Duration
    /// Without any byte of the answer, while the client would take one.
    public var idleTimeout: Duration
    /// For the whole call, a slow client included.
    public var totalTimeout: Duration
    /// Of one answer's body.
    public var maximumResponseBytes: Int

    /// The limits of the contract: 5 s to connect, 60 s of silence, ten minutes in all, 64 MiB.
    public init(
        connectTimeout: Duration = .seconds(5), firstByteTimeout: Duration = .seconds(60),
        idleTimeout: Duration = .seconds(60), totalTimeout: Duration = .seconds(600),
        maximumResponseBytes: Int = 64 << 20
    ) {
        precondition(maximumResponseBytes > 0, "an answer has a size")
        self.connectTimeout = connectTimeout
        self.firstByteTimeout = firstByteTimeout
        self.idleTimeout = idleTimeout
        self.totalTimeout = totalTimeout
        self.maximumResponseBytes = maximumResponseBytes
    }
}
