/// One HTTP request to an upstream.
public struct CurlRequest: Sendable {
    /// The HTTP methods an upstream call needs.
    public enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
    }

    /// Whether the transfer may share a connection with those before and after it.
    public enum Connection: Sendable {
        /// Uses an idle connection if there is one, and leaves its own behind when it ended well.
        case pooled
        /// Opens a connection of its own and closes it at the end.
        case fresh
    }

    /// Which versions of HTTP may be spoken.
    public enum HTTPVersion: Sendable {
        /// HTTP/1.1 always.
        case http1
        /// HTTP/2 if a TLS server offers it, HTTP/1.1 otherwise.
        ///
        /// Ending an HTTP/2 transfer early resets its stream; the connection goes on serving
        /// others.
        case http2OverTLS
    }

    /// The method; only a POST may have a body.
    public var method: Method
    /// The absolute URL. It may not contain a user name or password.
    public var url: String
    /// Header fields in order. Those that frame the message belong to the client and are refused.
    public var headers: [(name: String, value: String)]
    /// The body, sent with a `Content-Length`.
    public var body: [UInt8]

    /// Connects to this Unix domain socket instead of the URL's host and port.
    public var unixSocketPath: String?
    /// Goes through this HTTP proxy, an absolute URL, by a tunnel: it sees no header and no body of
    /// the request. Nil goes straight to the host; the environment's proxies are never used.
    public var proxy: String?
    /// Says whether a connection may be used that leads to this address: four bytes or sixteen, the
    /// most significant first; none if it is no IP address. Asked for every address before a
    /// connection to it is begun, and again before the request is sent over one, pooled or not.
    /// Nil permits all. Not asked about Unix sockets, nor where a proxy
    /// does the connecting.
    public var permitsAddress: (@Sendable (_ bytes: [UInt8]) -> Bool)?
    /// The time for resolving, connecting and the TLS handshake.
    public var connectTimeout: Duration
    /// The time from the start of the transfer until the response head is complete.
    public var firstByteTimeout: Duration
    /// The time without any body byte arriving. It stands still while the consumer holds the
    /// transfer back.
    public var idleTimeout: Duration
    /// The time from the start of the transfer to its last byte, a slow consumer included.
    public var totalTimeout: Duration
    /// The transfer fails with `tooLarge` beyond this many body bytes.
    public var maximumResponseBytes: Int
    /// The transfer fails with `tooLarge` beyond this many bytes of response heads.
    public var maximumHeaderBytes: Int

    /// Whether connections are shared.
    public var connection: Connection
    /// An idle connection is reused only if it was idle for less than this, in whole seconds
    /// rounded down; below one second a new connection is opened. Keep it under the upstream's own
    /// limit: a connection it is about to close loses the request that is sent on it.
    public var maximumIdleAge: Duration
    /// Which versions of HTTP may be spoken.
    public var httpVersion: HTTPVersion
    /// The URL schemes that are accepted, in lower case.
    public var allowedSchemes: Set<String>
    /// Whether the upstream's certificate and name are verified.
    public var verifiesTLS: Bool
    /// A PEM file of trusted authorities, instead of the system's.
    public var certificateAuthorityFile: String?
    /// Whether the response tells what the server's certificate says of itself. Costs a little.
    public var readsCertificate: Bool

    /// Makes a request with the limits of a chat completion; set the properties to change them.
    public init(
        method: Method, url: String, headers: [(name: String, value: String)] = [],
        body: [UInt8] = []
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        unixSocketPath = nil
        proxy = nil
        permitsAddress = nil
        connectTimeout = .seconds(5)
        firstByteTimeout = .seconds(60)
        idleTimeout = .seconds(60)
        totalTimeout = .seconds(600)
        maximumResponseBytes = 64 * 1024 * 1024
        maximumHeaderBytes = 64 * 1024
        connection = .pooled
        maximumIdleAge = .seconds(4)
        httpVersion = .http1
        allowedSchemes = ["http", "https"]
        verifiesTLS = true
        certificateAuthorityFile = nil
        readsCertificate = false
    }
}
