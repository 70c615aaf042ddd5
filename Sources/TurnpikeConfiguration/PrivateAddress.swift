/// Tells the addresses that only this machine or a private network has, as far as a URL's text
/// shows them. What a name resolves to is not looked at here.
enum PrivateAddress {
    /// Whether the host of `url` is `localhost` or an address of a loopback, link-local, private or
    /// unspecified range (RFC 1122, 1918, 3927, 4193, 4291, 6598).
    static func isNamed(inURL url: String) -> Bool {
        let rest = url.drop { $0 != "/" }.drop { $0 == "/" }
        let authority = rest.prefix { $0 != "/" }.lowercased()[...]
        if authority.hasPrefix("[") {
            return isPrivate6(authority.dropFirst().prefix { $0 != "]" })
        }
        let host = authority.prefix { $0 != ":" }
        if host == "localhost" || host.hasSuffix(".localhost") { return true }
        return isPrivate4(host)
    }

    private static func isPrivate4(_ host: Substring) -> Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        guard parts.count == 4, let first = parts[0], let second = parts[1] else { return false }
        return switch (first, second) {
        case (0, _), (10, _), (127, _), (169, 254), (192, 168), (172, 16...31), (100, 64...127):
            true
        default: false
        }
    }

    private static func isPrivate6(_ host: Substring) -> Bool {
        if host == "::" || host == "::1" { return true }
        if host.hasPrefix("::ffff:") { return isPrivate4(host.dropFirst(7)) }
        guard let first = UInt16(host.prefix { $0 != ":" }, radix: 16) else { return false }
        return first & 0xFE00 == 0xFC00 || first & 0xFFC0 == 0xFE80
    }
}
