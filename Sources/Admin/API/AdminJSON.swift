/// A JSON value that the admin HTTP API writes.
indirect enum AdminJSON {
    case object([(String, AdminJSON)])
    case array([AdminJSON])
    case text(String)
    case integer(Int)
    case flag(Bool)
    case null
    /// What a command shows programs: the same text as its `--format json`.
    case record(Record)

    /// Objects of records.
    static func records(_ records: [Record]) -> AdminJSON { .array(records.map(AdminJSON.record)) }

    /// Texts.
    static func texts(_ texts: [String]) -> AdminJSON { .array(texts.map(AdminJSON.text)) }

    /// The value, written.
    var bytes: [UInt8] { Array(written.utf8) }

    private var written: String {
        switch self {
        case .object(let members):
            "{" + members.map { "\(JSONText.string($0)): \($1.written)" }.joined(separator: ", ")
                + "}"
        case .array(let elements): "[" + elements.map(\.written).joined(separator: ", ") + "]"
        case .text(let text): JSONText.string(text)
        case .integer(let number): String(number)
        case .flag(let flag): flag ? "true" : "false"
        case .null: "null"
        case .record(let record): JSONText.object(record)
        }
    }
}
