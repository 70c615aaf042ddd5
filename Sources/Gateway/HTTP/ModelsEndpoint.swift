import Domain
import JSON

/// `GET /v1/models`: what a key may use, in OpenAI's shape.
enum ModelsEndpoint {
    /// The list.
    static func list(_ routes: [ModelRoute]) -> [UInt8] {
        var writer = JSONWriter(capacity: 64 + routes.count * 96)
        writer.beginObject()
        writer.key("object")
        writer.string("list")
        writer.key("data")
        writer.beginArray()
        for route in routes { write(route, &writer) }
        writer.endArray()
        writer.endObject()
        return writer.finish()
    }

    /// One model.
    static func one(_ route: ModelRoute) -> [UInt8] {
        var writer = JSONWriter(capacity: 128)
        write(route, &writer)
        return writer.finish()
    }

    /// A name from a path, short enough to be said back.
    static func shown(_ alias: String) -> String {
        String(alias.prefix(ParameterLimits.longestModelName))
    }

    private static func write(_ route: ModelRoute, _ writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("id")
        writer.string(route.alias)
        writer.key("object")
        writer.string("model")
        // The catalog does not say when a model was made; the field is required.
        writer.key("created")
        writer.integer(0)
        writer.key("owned_by")
        writer.string("turnpike")
        writer.key("context_window")
        writer.integer(route.contextTokens)
        writer.key("max_completion_tokens")
        writer.integer(route.maximumCompletionTokens)
        writer.endObject()
    }
}
