/// The head of a response, and its body still to be read.
public struct CurlResponse: Sendable {
    /// The status code of the final head; redirects are returned, not followed.
    public let status: Int
    /// The header fields in order, names in lower case, values without surrounding blanks.
    public let headers: [(name: String, value: String)]
    /// Whether the request went over a connection that had served another one.
    public let usedPooledConnection: Bool
    /// Until when the server's certificate holds, in the words of libcurl's TLS library, such as
    /// `Nov 21 12:00:00 2026 GMT`; nil without TLS, and where the request did not ask for it.
    public let certificateExpiry: String?
    /// The body. Dropping it unread ends the transfer.
    public let body: CurlBody

    /// The value of the first field with this name, which must be given in lower case.
    public func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value
    }
}

/// What the state machine knows about a response once its head is complete.
struct ResponseHead: Sendable, Equatable {
    var status: Int
    var headers: [(name: String, value: String)]
    var usedPooledConnection = false
    var certificateExpiry: String?

    static func == (left: ResponseHead, right: ResponseHead) -> Bool {
        left.status == right.status && left.usedPooledConnection == right.usedPooledConnection
            && left.headers.elementsEqual(right.headers, by: ==)
    }
}
