/// Where a listener listens: a host and a port, or a socket in the file system.
public struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// A name or an address, without brackets.
    public let host: String
    /// 0 lets the system choose.
    public let port: Int
    /// The socket's path, where it is one; the host is then empty and the port 0.
    public let socketPath: String?

    /// Makes an address.
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
        socketPath = nil
    }

    /// Makes the address of a socket in the file system.
    public init(socketPath: String) {
        host = ""
        port = 0
        self.socketPath = socketPath
    }

    /// The longest path of a socket, in bytes: what the system has room for.
    static let longestSocketPath = 107

    /// Reads `unix:/PATH`, with an absolute path that the system has room for; nil for anything
    /// else.
    public init?(socket text: String) {
        guard text.hasPrefix("unix:/"), text.utf8.count - 5 <= Self.longestSocketPath,
            text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }), !text.hasSuffix("/")
        else { return nil }
        self.init(socketPath: String(text.dropFirst(5)))
    }

    /// Reads `HOST:PORT`, with an IPv6 address in brackets; nil for anything else.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard (1...5).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (48...57).contains($0) }),
            let port = Int(digits), port <= 65_535
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("[") {
            guard host.hasSuffix("]"), host.count > 2 else { return nil }
            host = host.dropFirst().dropLast()
            guard host.utf8.allSatisfy({ Self.isHexDigit($0) || $0 == 0x3A || $0 == 0x2E }) else {
                return nil
            }
        } else {
            guard !host.isEmpty, host.utf8.count <= 253, host.utf8.allSatisfy(Self.isNameByte)
            else {
                return nil
            }
        }
        self.init(host: String(host), port: port)
    }

    /// Whether only this machine can reach it.
    public var isLoopback: Bool {
        socketPath != nil || host == "localhost" || host == "::1" || host.hasPrefix("127.")
    }

    /// Whether it stands for every address of the machine.
    public var isWildcard: Bool { host == "0.0.0.0" || host == "::" }

    /// The host as it stands in a URL.
    public var hostInURL: String { host.contains(":") ? "[\(host)]" : host }

    /// `HOST:PORT`, or `unix:/PATH`.
    public var description: String { socketPath.map { "unix:\($0)" } ?? "\(hostInURL):\(port)" }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...70).contains(byte) || (97...102).contains(byte)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
            || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }
}
