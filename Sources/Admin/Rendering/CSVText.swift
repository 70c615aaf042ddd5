/// Records as comma-separated values (RFC 4180): a line of names, then a line for each record,
/// ended by CR LF.
enum CSVText {
    /// The whole file. The names are written also when there is no record.
    static func file(names: [String], records: [Record]) -> String {
        names.map(quoted).joined(separator: ",") + "\r\n" + records.map(line).joined()
    }

    /// The line of one record.
    static func line(_ record: Record) -> String {
        record.fields.map { cell($0.value) }.joined(separator: ",") + "\r\n"
    }

    private static func cell(_ value: Record.Value) -> String {
        switch value {
        case .text(let text): quoted(neutralised(text))
        case .integer(let number): String(number)
        case .flag(let flag): flag ? "true" : "false"
        case .names(let names): quoted(neutralised(names.joined(separator: ",")))
        case .facts(let state): quoted(JSONText.facts(state))
        case .missing: ""
        }
    }

    /// Puts `'` before a text that a spreadsheet would run as a formula: names are chosen by
    /// tenants, files are opened by administrators (OWASP, CSV injection). Numbers are never
    /// touched.
    private static func neutralised(_ text: String) -> String {
        guard let first = text.unicodeScalars.first else { return text }
        return "=+-@\t\r\n".unicodeScalars.contains(first) ? "'" + text : text
    }

    private static func quoted(_ text: String) -> String {
        let needsQuotes = text.unicodeScalars.contains { "\",\r\n".unicodeScalars.contains($0) }
        return needsQuotes
            ? "\""
                + text.split(separator: "\"", omittingEmptySubsequences: false)
                .joined(separator: "\"\"") + "\"" : text
    }
}
