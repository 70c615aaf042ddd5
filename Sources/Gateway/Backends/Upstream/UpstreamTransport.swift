public import Domain

/// How connections to an upstream are made.
public struct UpstreamTransport: Sendable, Equatable {
    /// Which addresses its URL may lead to. Not looked at behind a proxy, which resolves names
    /// itself.
    public var addresses = AddressPolicy.publicOnly
    /// A PEM file of the authorities that its certificate may be of, instead of the system's.
    public var certificateAuthorityFile: String?
    /// The HTTP proxy to go through; the environment's is never used.
    public var proxy: String?
    /// Whether HTTP/2 is spoken with an upstream that offers it, which needs TLS.
    public var speaksHTTP2 = true

    /// Straight to a public address, with the system's authorities.
    public init() {}
}
