/// A request of the admin HTTP API, whole.
public struct AdminRequest: Sendable {
    /// In capitals.
    public let method: String
    /// As it came, still percent-encoded, without the query.
    public let path: String
    /// What stands behind the question mark; empty without one.
    public let query: String
    /// Every field, by its name in lower case and in the order in which they came. It holds a
    /// secret: never log it.
    public let headers: [(name: String, value: String)]
    /// The whole body; empty without one.
    public let body: [UInt8]

    /// Makes a request.
    public init(
        method: String, path: String, query: String, headers: [(name: String, value: String)],
        body: [UInt8]
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
    }

    /// The values of every field of a name, which is in lower case.
    public func values(of name: String) -> [String] {
        headers.filter { $0.name == name }.map(\.value)
    }
}

/// What the admin HTTP API answers.
public struct AdminResponse: Sendable {
    /// The HTTP status.
    public let status: Int
    /// Fields beside those of every answer.
    public let headers: [(name: String, value: String)]
    /// JSON; empty for none.
    public let body: [UInt8]

    /// Makes an answer.
    public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// The admin HTTP API, as the listener sees it: everything under ``AdminPath/root``.
public protocol AdminAPI: Sendable {
    /// Answers a request; a failure is an answer too. Never blocks the caller's thread.
    func respond(to request: AdminRequest) async -> AdminResponse
}

/// Where the admin HTTP API is.
public enum AdminPath {
    /// What every path of it begins with.
    public static let root = "/admin/"
}
