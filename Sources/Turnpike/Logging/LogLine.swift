import Logging

/// Writes one log line. Pure. Control characters are escaped, so that no value can forge a line.
enum LogLine {
    /// `2026-11-21T08:00:00.000Z info message key=value`, keys in order.
    static func text(
        time: String, level: Logger.Level, label: String, message: String,
        fields: [(key: String, value: String)]
    ) -> String {
        var line = "\(time) \(level.rawValue) \(label): \(escaped(message))"
        for (key, value) in fields {
            let quoted =
                value.isEmpty || value.utf8.contains { $0 <= 0x20 || $0 == 0x22 || $0 == 0x3D }
            line += " \(escaped(key))=" + (quoted ? "\"\(escaped(value))\"" : escaped(value))
        }
        return line + "\n"
    }

    /// One JSON object.
    static func json(
        time: String, level: Logger.Level, label: String, message: String,
        fields: [(key: String, value: String)]
    ) -> String {
        let all =
            [
                ("time", time), ("level", level.rawValue), ("logger", label),
                ("message", message),
            ] + fields.map { ($0.key, $0.value) }
        return "{" + all.map { "\"\(escaped($0))\":\"\(escaped($1))\"" }.joined(separator: ",")
            + "}\n"
    }

    /// As in a JSON string; also what terminals and line readers take for more than text (C1,
    /// U+2028, U+2029).
    static func escaped(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
