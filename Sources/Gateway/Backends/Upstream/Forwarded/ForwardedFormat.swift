import JSON

/// Writes the form that an answer must have.
enum ForwardedFormat {
    /// Writes `response_format`; nothing for text, which is every backend's default.
    static func write(_ format: ResponseFormat, to json: inout JSONWriter) {
        guard format != .text else { return }
        json.key("response_format")
        json.beginObject()
        json.key("type")
        switch format {
        case .text: json.string("text")
        case .jsonObject: json.string("json_object")
        case .jsonSchema(let schema):
            json.string("json_schema")
            json.key("json_schema")
            json.beginObject()
            json.key("name")
            json.string(schema.name)
            json.member("description", schema.description)
            json.key("schema")
            json.raw(schema.schema.bytes)
            json.member("strict", schema.isStrict)
            json.endObject()
        }
        json.endObject()
    }
}
