/// What form the answer's text must have.
enum ResponseFormat: Sendable, Equatable {
    case text
    /// Any JSON object.
    case jsonObject
    /// JSON of this schema.
    case jsonSchema(JSONSchemaFormat)
}

/// A schema that an answer must follow.
struct JSONSchemaFormat: Sendable, Equatable {
    /// `[A-Za-z0-9_-]{1,64}`.
    var name: String
    var description: String?
    var schema: JSONFragment
    /// Whether it must be followed exactly; an engine with a grammar always does.
    var isStrict: Bool?
}

/// What becomes of a request whose prompt and completion together are longer than the model's
/// context. A prompt that alone fills it is always refused.
enum ContextOverflow: String, Sendable, CaseIterable {
    /// The completion ends where the context does.
    case truncate
    /// The request is refused.
    case error
}
