public import Domain

/// How an upstream is reached.
public struct UpstreamConnection: Sendable, Hashable {
    /// Which addresses a connection may be made to.
    public var addresses: AddressPolicy
    /// A PEM file of the authorities that its certificate may be of, instead of the system's.
    public var certificateAuthorityFile: String?
    /// The HTTP proxy to go through.
    public var proxy: String?
    /// Whether HTTP/2 is spoken where it is offered.
    public var speaksHTTP2: Bool
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
