/// Emphasis by the terminal's escape sequences, or none.
struct TextStyle {
    /// Whether anything is emphasised: on a terminal, unless `--no-color` or `NO_COLOR` says
    /// otherwise.
    let isColoured: Bool

    /// Whether words may be emphasised: nobody forbade it, there is a terminal, and the environment
    /// has neither `NO_COLOR` (no-color.org: set and not empty) nor a `TERM` that is `dumb`.
    static func isWanted(
        _ isAllowed: Bool, isTerminal: Bool, environment: [String: String]
    ) -> Bool {
        isAllowed && isTerminal && (environment["NO_COLOR"] ?? "").isEmpty
            && environment["TERM"] != "dumb"
    }

    /// No emphasis.
    static let plain = TextStyle(isColoured: false)

    /// For totals and titles.
    func bold(_ text: String) -> String { wrap(text, "1") }
    /// For what is beside the point.
    func dim(_ text: String) -> String { wrap(text, "2") }
    /// For bars and sparklines.
    func accent(_ text: String) -> String { wrap(text, "36") }
    /// For what is used up.
    func alarm(_ text: String) -> String { wrap(text, "31") }

    private func wrap(_ text: String, _ code: String) -> String {
        isColoured && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
