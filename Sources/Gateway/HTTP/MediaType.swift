/// The media type of a body.
enum MediaType {
    /// Of a whole answer.
    static let json = "application/json"
    /// Of a stream.
    static let eventStream = "text/event-stream; charset=utf-8"

    /// Whether the one `Content-Type` field says JSON, with any parameters: `application/json;
    /// charset=utf-8`.
    static func isJSON(_ fields: [String]) -> Bool {
        guard fields.count == 1, let field = fields.first else { return false }
        if field == json { return true }
        let type = field.prefix { $0 != ";" }
        return type.lowercased().split(separator: " ") == [json[...]]
    }
}
