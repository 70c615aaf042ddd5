import JSON

/// Writes what asks an upstream for sound, a search of the web and moderation.
enum ForwardedAdditions {
    /// Writes the members of an open object.
    static func write(_ request: ChatCompletionRequest, to json: inout JSONWriter) {
        if let speech = request.speech { write(speech, to: &json) }
        if let search = request.webSearch { write(search, to: &json) }
        if let moderation = request.moderation { write(moderation, to: &json) }
    }

    private static func write(_ speech: SpokenAnswer, to json: inout JSONWriter) {
        json.key("modalities")
        json.beginArray()
        if speech.saysText { json.string("text") }
        json.string("audio")
        json.endArray()
        json.key("audio")
        json.beginObject()
        json.key("voice")
        switch speech.voice {
        case .named(let name): json.string(name)
        case .made(let id):
            json.beginObject()
            json.member("id", id)
            json.endObject()
        }
        json.member("format", speech.format.rawValue)
        json.endObject()
    }

    private static func write(_ search: WebSearch, to json: inout JSONWriter) {
        json.key("web_search_options")
        json.beginObject()
        json.member("search_context_size", search.contextSize?.rawValue)
        if let place = search.place {
            json.key("user_location")
            json.beginObject()
            json.member("type", "approximate")
            json.key("approximate")
            json.beginObject()
            json.member("city", place.city)
            json.member("country", place.country)
            json.member("region", place.region)
            json.member("timezone", place.timezone)
            json.endObject()
            json.endObject()
        }
        json.endObject()
    }

    private static func write(_ moderation: ModerationRequest, to json: inout JSONWriter) {
        json.key("moderation")
        json.beginObject()
        json.member("model", moderation.model)
        if moderation.input != nil || moderation.output != nil {
            json.key("policy")
            json.beginObject()
            write("input", moderation.input, to: &json)
            write("output", moderation.output, to: &json)
            json.endObject()
        }
        json.endObject()
    }

    private static func write(
        _ name: StaticString, _ mode: ModerationRequest.Mode?, to json: inout JSONWriter
    ) {
        guard let mode else { return }
        json.key(name)
        json.beginObject()
        json.member("mode", mode.rawValue)
        json.endObject()
    }
}
