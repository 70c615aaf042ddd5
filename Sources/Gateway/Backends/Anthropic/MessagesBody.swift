import JSON

/// Writes a call in Anthropic's format from the typed request alone, so that nothing a client
/// invents reaches the upstream.
enum MessagesBody {
    /// The JSON text to send for `call`. What the API cannot express was refused by name before.
    static func make(
        _ call: BackendCall, thinking: AnthropicUpstreamConfiguration.Thinking
    ) -> [UInt8] {
        precondition(call.completionBound > 0, "a forwarded request is bounded")
        let request = call.request
        let conversation = MessagesConversation(request.messages)
        let plan = MessagesThinking(request, bound: call.completionBound, at: thinking)
        var json = JSONWriter(capacity: 512 + Int(PromptBound.bytes(request)))
        json.beginObject()
        json.key("model")
        json.string(call.upstreamModel)
        json.key("max_tokens")
        json.integer(call.completionBound)
        json.key("stream")
        json.bool(true)
        MessagesContent.write(conversation, to: &json)
        MessagesTools.write(request.tools, to: &json)
        writeSampling(request, to: &json)
        write(plan, to: &json)
        writeOutput(request.format, plan, to: &json)
        if let user = request.safetyIdentifier ?? request.user {
            json.key("metadata")
            json.beginObject()
            json.member("user_id", user)
            json.endObject()
        }
        if request.wantsCache {
            json.key("cache_control")
            json.beginObject()
            json.member("type", "ephemeral")
            json.endObject()
        }
        json.endObject()
        return json.finish()
    }

    /// Writes what steers the draw, but for what changes nothing: models take one of `temperature`
    /// and `top_p` only, whatever it says, and the newest take neither.
    private static func writeSampling(
        _ request: ChatCompletionRequest, to json: inout JSONWriter
    ) {
        if request.temperature != 1 { json.member("temperature", request.temperature) }
        if request.topP != 1 { json.member("top_p", request.topP) }
        if let topK = request.topK {
            json.key("top_k")
            json.integer(topK)
        }
        guard !request.stop.isEmpty else { return }
        json.key("stop_sequences")
        json.beginArray()
        for stop in request.stop { json.string(stop) }
        json.endArray()
    }

    private static func write(_ plan: MessagesThinking, to json: inout JSONWriter) {
        switch plan {
        case .unsaid: return
        case .refused: preconditionFailure("what is refused is not forwarded")
        case .disabled, .budget, .adaptive: break
        }
        json.key("thinking")
        json.beginObject()
        json.key("type")
        switch plan {
        case .budget(let tokens):
            json.string("enabled")
            json.key("budget_tokens")
            json.integer(tokens)
        case .adaptive:
            json.string("adaptive")
            // The newest models keep their thoughts to themselves unless they are asked.
            json.member("display", "summarized")
        case .disabled, .unsaid, .refused: json.string("disabled")
        }
        json.endObject()
    }

    private static func writeOutput(
        _ format: ResponseFormat, _ plan: MessagesThinking, to json: inout JSONWriter
    ) {
        var effort: String?
        if case .adaptive(let word) = plan { effort = word }
        var schema: [UInt8]?
        if case .jsonSchema(let asked) = format {
            schema = ObjectText.adding("description", asked.description, to: asked.schema)
        }
        guard effort != nil || schema != nil else { return }
        json.key("output_config")
        json.beginObject()
        json.member("effort", effort)
        if let schema {
            json.key("format")
            json.beginObject()
            json.member("type", "json_schema")
            json.key("schema")
            json.raw(schema)
            json.endObject()
        }
        json.endObject()
    }
}

extension ChatCompletionRequest {
    /// Whether its prompt is to be written to the cache: who names a prompt that is used again wants
    /// that, and so does who leaves the place to the backend.
    fileprivate var wantsCache: Bool {
        switch caching.mode {
        case .implicit: true
        case .explicit: false
        case nil: promptCacheKey != nil
        }
    }
}
