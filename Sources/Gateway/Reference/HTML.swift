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

    /// A block of code.
    static func block(_ source: String) -> String { "<pre><code>\(text(source))</code></pre>\n" }
}
