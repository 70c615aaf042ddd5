/// What one connection may take of the gateway's time and memory.
public struct ConnectionLimits: Sendable, Hashable {
    /// The largest body, in bytes.
    public var bodyBytes = 4 * 1024 * 1024
    /// The most header fields.
    public var headerFields = 100
    /// The largest head, in bytes: the line and all fields.
    public var headerBytes = 16 * 1024
    /// The longest line of a head, in bytes.
    public var headerLineBytes = 8 * 1024
    /// How long a head may take from its first byte.
    public var headerTime = Duration.seconds(10)
    /// How long a body may take from its head.
    public var bodyTime = Duration.seconds(30)
    /// How long a body may take before its speed matters.
    public var bodyGrace = Duration.seconds(5)
    /// The least speed of a body after the grace, in bytes per second.
    public var bodyBytesPerSecond = 1024
    /// How long a connection may be silent between requests.
    public var idleTime = Duration.seconds(60)
    /// How long a client may not read before it counts as gone.
    public var writeStallTime = Duration.seconds(60)
    /// How long a stream may be silent before a comment is sent.
    public var pingTime = Duration.seconds(15)
    /// How long a closed connection waits for the client to close its side.
    public var lingerTime = Duration.seconds(2)

    /// Makes the limits in use where nothing else is configured.
    public init() {}
}
