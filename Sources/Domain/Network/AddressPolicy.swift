/// Which addresses a connection may be made to, decided when it is made: a name that resolves to
/// something else by then gains nothing.
///
/// Public addresses may be connected to always. The private ones of this machine and its networks
/// may when that was said in one word; all others that have a special purpose, among them
/// link-local ones, at which clouds hand out credentials (169.254.169.254), only by name.
public struct AddressPolicy: Sendable, Hashable {
    /// Whether loopback and private networks are permitted: RFC 1918, 6598 and 4193.
    public var permitsPrivate: Bool
    /// What is permitted whatever it is for.
    public var exceptions: [AddressRange]

    /// Makes a policy.
    public init(permitsPrivate: Bool, exceptions: [AddressRange]) {
        self.permitsPrivate = permitsPrivate
        self.exceptions = exceptions
    }

    /// Nothing but public addresses.
    public static let publicOnly = AddressPolicy(permitsPrivate: false, exceptions: [])

    /// What an address is for, where that is not the public internet.
    public enum Purpose: String, Sendable, CaseIterable {
        case loopback, unspecified, multicast, reserved, documentation
        case privateNetwork = "private"
        case linkLocal = "link-local"
        case sharedByCarrier = "carrier's shared"

        /// Whether one word permits it.
        var isPrivate: Bool {
            switch self {
            case .loopback, .privateNetwork, .sharedByCarrier: true
            case .unspecified, .multicast, .reserved, .documentation, .linkLocal: false
            }
        }
    }

    /// Why an address must not be connected to; nil if it may be. One of version 6 that carries one
    /// of version 4 is judged by that, and permitted by either.
    public func refusal(of address: IPAddress) -> Purpose? {
        let judged = address.embedded ?? address
        guard let purpose = Self.purpose(of: judged) else { return nil }
        let isExcepted = exceptions.contains { $0.contains(address) || $0.contains(judged) }
        return isExcepted || (permitsPrivate && purpose.isPrivate) ? nil : purpose
    }

    /// What an address is for (IANA's registries of special-purpose addresses); nil on the public
    /// internet. Of version 6, whatever is not given out as global unicast (2000::/3) is special.
    static func purpose(of address: IPAddress) -> Purpose? {
        if let known = special.first(where: { $0.range.contains(address) }) { return known.purpose }
        return address.bytes.count == 16 && address.bytes[0] & 0xE0 != 0x20 ? .reserved : nil
    }

    private static let special: [(range: AddressRange, purpose: Purpose)] = [
        ("0.0.0.0/8", Purpose.unspecified), ("10.0.0.0/8", .privateNetwork),
        ("100.64.0.0/10", .sharedByCarrier), ("127.0.0.0/8", .loopback),
        ("169.254.0.0/16", .linkLocal), ("172.16.0.0/12", .privateNetwork),
        ("192.0.0.0/24", .reserved), ("192.0.2.0/24", .documentation),
        ("192.88.99.0/24", .reserved), ("192.168.0.0/16", .privateNetwork),
        ("198.18.0.0/15", .reserved), ("198.51.100.0/24", .documentation),
        ("203.0.113.0/24", .documentation), ("224.0.0.0/4", .multicast),
        ("240.0.0.0/4", .reserved), ("::/128", .unspecified), ("::1/128", .loopback),
        ("fc00::/7", .privateNetwork), ("fe80::/10", .linkLocal), ("ff00::/8", .multicast),
        ("2001:db8::/32", .documentation), ("2001::/23", .reserved),
        ("3fff::/20", .documentation),
    ].compactMap { text, purpose in AddressRange(text).map { ($0, purpose) } }
}
