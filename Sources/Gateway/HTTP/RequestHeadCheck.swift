import NIOHTTP1

/// What the decoder leaves to check of a request's head.
enum RequestHeadCheck {
    /// Whether the line and the fields are within the limits. The decoder keeps them too, but its
    /// count does not include the line.
    static func isWithinLimits(_ head: HTTPRequestHead, _ limits: ConnectionLimits) -> Bool {
        var total = head.uri.utf8.count
        guard total <= limits.headerLineBytes else { return false }
        for (name, value) in head.headers {
            let line = name.utf8.count + value.utf8.count
            guard line <= limits.headerLineBytes else { return false }
            total += line
        }
        return total <= limits.headerBytes && head.headers.count <= limits.headerFields
    }

    /// Whether the decoder stops after this request, since it may be followed by another protocol.
    /// We speak none, and say so by an ordinary answer; but what comes after it on the connection
    /// is not read.
    static func endsDecoding(_ head: HTTPRequestHead) -> Bool {
        head.method == .CONNECT || head.headers.contains(name: "upgrade")
    }

    /// Whether every server reads the same request (RFC 9112 §6.3): at most one length, no length
    /// beside a transfer coding, no coding but `chunked`, and no control characters in values.
    static func isUnambiguous(_ head: HTTPRequestHead) -> Bool {
        var lengths = 0
        var codings = 0
        for (name, value) in head.headers {
            // A lone CR or LF inside of a value starts a new line for some.
            let isClean = value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
            guard isClean else { return false }
            switch name.utf8.count {
            case 14 where name.lowercased() == "content-length":
                lengths += 1
                guard !value.isEmpty, value.utf8.allSatisfy({ (48...57).contains($0) }) else {
                    return false
                }
            case 17 where name.lowercased() == "transfer-encoding":
                codings += 1
                guard value.lowercased() == "chunked" else { return false }
            default: break
            }
        }
        return lengths + codings <= 1
    }
}
