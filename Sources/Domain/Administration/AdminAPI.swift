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
    /// Whether its client can tell an answer in pieces that ends from one that breaks off.
    public var takesPieces = true

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
    /// What kind of text it is.
    public let contentType: String
    /// The body, or its beginning where more comes in pieces.
    public let body: [UInt8]
    /// What comes after the beginning; nil where the body is whole.
    public let pieces: (any AdminPieces)?

    /// Makes an answer: JSON, and whole, where nothing else is said.
    public init(
        status: Int, headers: [(name: String, value: String)] = [],
        contentType: String = "application/json", body: [UInt8],
        pieces: (any AdminPieces)? = nil
    ) {
        self.status = status
        self.headers = headers
        self.contentType = contentType
        self.body = body
        self.pieces = pieces
    }
}

/// The rest of an answer of any length. A piece is read when it is asked for and not before, so
/// that nobody holds more of it than one.
public protocol AdminPieces: Sendable {
    /// The next piece. After the end, and once it is broken, nothing more is asked.
    func next() async -> AdminPiece
}

/// A piece of an answer.
public enum AdminPiece: Sendable, Equatable {
    /// More of the body; empty where there is nothing just now.
    case bytes([UInt8])
    /// That was all.
    case end
    /// The rest cannot be told: the answer must not look as if it had ended.
    case broken
}

/// The admin HTTP API, as the listener sees it: everything under ``AdminPath/root``.
public protocol AdminAPI: Sendable {
    /// Answers a request; a failure is an answer too. Never blocks the caller's thread.
    func respond(to request: AdminRequest) async -> AdminResponse

    /// The answer to what the listener did not take for a request of this API, because it was too
    /// long, too slow or malformed.
    func refuse(status: Int, message: String) -> AdminResponse
}

/// Where the admin HTTP API is.
public enum AdminPath {
    /// What every path of it begins with.
    public static let root = "/admin/"
}
