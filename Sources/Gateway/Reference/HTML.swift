/// Text as HTML.
enum HTML {
    /// Text as it is.
    static func text(_ text: some StringProtocol) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.append(character)
            }
        }
        return escaped
    }

    /// Text as code.
    static func code(_ code: some StringProtocol) -> String { "<code>\(text(code))</code>" }

    /// Sentences, with code between backticks.
    static func prose(_ sentences: String) -> String {
        sentences.split(separator: "`", omittingEmptySubsequences: false).enumerated().map {
            $0.offset % 2 == 0 ? text($0.element) : code($0.element)
        }.joined()
    }

    /// A block of JSON, a member a line.
    static func block(json: String) -> String {
        var lines = ""
        var depth = 0
        var isInString = false
        var isEscaped = false
        func newline() { lines += "\n" + String(repeating: "  ", count: depth) }
        for character in json {
            switch character {
            case _ where isInString:
                lines.append(character)
                if character == "\"" && !isEscaped { isInString = false }
                isEscaped = character == "\\" && !isEscaped
            case "{", "[":
                lines.append(character)
                depth += 1
                newline()
            case "}", "]":
                depth -= 1
                newline()
                lines.append(character)
            case ",":
                lines.append(character)
                newline()
            default:
                lines += character == ":" ? ": " : String(character)
                isInString = character == "\""
            }
        }
        return block(lines)
    }

    /// A block of code.
    static func block(_ source: String) -> String { "<pre><code>\(text(source))</code></pre>\n" }
}
