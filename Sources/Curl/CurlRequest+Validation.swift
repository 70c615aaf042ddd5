/// What is refused before a byte is sent, so that nothing a caller was given by somebody else can
/// change where a message ends or which server it goes to.
extension CurlRequest {
    /// Header fields that decide the framing or the life of the connection. libcurl writes them.
    private static let framingFields: Set<String> = [
        "connection", "content-length", "expect", "keep-alive", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    ]

    /// The size of `sun_path` on Linux, less the terminating zero.
    private static let longestSocketPath = 107

    /// Throws `invalidRequest` unless the request can be sent as it stands.
    func validate() throws(CurlFailure) {
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw .invalidRequest("the URL contains a control character or a space")
        }
        guard let scheme = urlScheme, allowedSchemes.contains(scheme),
            scheme == "http" || scheme == "https"
        else { throw .invalidRequest("the URL's scheme is not allowed") }
        guard method == .post || body.isEmpty else {
            throw .invalidRequest("a GET request has no body")
        }
        if let unixSocketPath {
            let length = unixSocketPath.utf8.count
            guard length > 0, length <= Self.longestSocketPath, !unixSocketPath.utf8.contains(0)
            else { throw .invalidRequest("the socket path is empty, too long or contains a zero") }
        }
        if let proxy {
            guard proxy.hasPrefix("http://") || proxy.hasPrefix("https://"),
                proxy.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F })
            else { throw .invalidRequest("the proxy is no URL of a scheme that is allowed") }
        }
        if let file = certificateAuthorityFile, file.isEmpty || file.utf8.contains(0) {
            throw .invalidRequest("the certificate authority file's name is not valid")
        }
        for (name, value) in headers {
            try Self.validateField(name: name, value: value)
        }
    }

    /// The text before the URL's `://`, in lower case.
    private var urlScheme: String? {
        guard let colon = url.utf8.firstIndex(of: UInt8(ascii: ":")),
            url[colon...].utf8.starts(with: "://".utf8)
        else { return nil }
        return url[..<colon].lowercased()
    }

    private static func validateField(name: String, value: String) throws(CurlFailure) {
        guard !name.isEmpty, name.utf8.allSatisfy(isTokenByte) else {
            throw .invalidRequest("a header name is empty or contains a forbidden character")
        }
        // The value is not part of the message: it may be a credential.
        guard value.utf8.allSatisfy({ ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }) else {
            throw .invalidRequest("the value of header \(name) contains a control character")
        }
        guard !framingFields.contains(name.lowercased()) else {
            throw .invalidRequest("header \(name) is the client's own to send")
        }
    }

    /// Whether RFC 9110 §5.6.2 allows the byte in a field name.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
