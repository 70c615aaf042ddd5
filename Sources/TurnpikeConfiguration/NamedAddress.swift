import Domain

/// Reads the address that a URL's text names. What a name resolves to is not looked at here: that
/// is judged when a connection is made.
enum NamedAddress {
    /// The address that is the host of `url`, or 127.0.0.1 for a name that always means this
    /// machine (RFC 6761); nil for any other name.
    static func inURL(_ url: String) -> IPAddress? {
        let rest = url.drop { $0 != "/" }.drop { $0 == "/" }
        let authority = rest.prefix { $0 != "/" }.lowercased()[...]
        if authority.hasPrefix("[") {
            return IPAddress(authority.dropFirst().prefix { $0 != "]" })
        }
        let host = authority.prefix { $0 != ":" }
        if host == "localhost" || host.hasSuffix(".localhost") { return IPAddress("127.0.0.1") }
        return IPAddress(host)
    }
}
