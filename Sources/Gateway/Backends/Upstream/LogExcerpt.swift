/// Foreign text made fit for a log line: short, on one line, without what is secret.
enum LogExcerpt {
    /// The most bytes that are kept of a foreign text.
    static let maximumBytes = 500

    /// The first bytes of `foreign`, with every character that could end, hide or colour a log line
    /// written as an escape, broken UTF-8 as U+FFFD, and each of `secrets` as `[redacted]`.
    static func make(of foreign: some Collection<UInt8>, redacting secrets: [[UInt8]]) -> String {
        // Redacted before the cut, so that no part of a secret is left at the edge. A secret that
        // is itself cut by the reader's own bound would be kept in part, hence the longer prefix.
        var bytes = Array(foreign.prefix(maximumBytes * 8))
        for secret in secrets where secret.count >= 4 { redact(secret, in: &bytes) }
        let isCut = bytes.count > maximumBytes
        var text = ""
        for scalar in String(decoding: bytes.prefix(maximumBytes), as: UTF8.self).unicodeScalars {
            if isPlain(scalar) {
                text.unicodeScalars.append(scalar)
            } else {
                text += scalar.escaped(asASCII: true)
            }
        }
        return isCut ? text + "…" : text
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned,
            .privateUse:
            false
        default: true
        }
    }

    private static func redact(_ secret: [UInt8], in bytes: inout [UInt8]) {
        var start = 0
        while start + secret.count <= bytes.count {
            if bytes[start..<start + secret.count].elementsEqual(secret) {
                bytes.replaceSubrange(start..<start + secret.count, with: "[redacted]".utf8)
                start += 10
            } else {
                start += 1
            }
        }
    }
}
