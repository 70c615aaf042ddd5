public import Domain

/// How an upstream is reached.
public struct UpstreamConnection: Sendable, Hashable {
    /// Which addresses a connection may be made to.
    public var addresses: AddressPolicy
    /// How long a call may take to get where.
    public var timeouts: UpstreamTimeouts
}

/// How long a call to an upstream may take to get where.
public struct UpstreamTimeouts: Sendable, Hashable {
    /// Until the connection stands.
    public var connect: Duration
    /// From there until the answer begins.
    public var firstByte: Duration
    /// Between two pieces of the answer.
    public var idle: Duration
    /// For all of it.
    public var total: Duration
}
