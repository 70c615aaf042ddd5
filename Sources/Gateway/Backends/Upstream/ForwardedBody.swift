import JSON

/// Writes the body of a forwarded request from the typed request alone, so that nothing a client
/// invents reaches a backend.
enum ForwardedBody {
    /// The JSON text to send for `call`; `streams` says what is asked of the backend.
    static func make(_ call: BackendCall, in dialect: Dialect, streams: Bool) -> [UInt8] {
        precondition(call.completionBound > 0, "a forwarded request is bounded")
        let request = call.request
        var json = JSONWriter(capacity: 512 + textBytes(of: request))
        json.beginObject()
        json.key("model")
        json.string(call.upstreamModel)
        json.key("messages")
        json.beginArray()
        for message in request.messages { write(message, in: dialect, to: &json) }
        json.endArray()
        json.key("stream")
        json.bool(streams)
        if streams {
            // Always asked for, since it is what is metered; shown to the client only when it
            // asked.
            json.key("stream_options")
            json.beginObject()
            json.key("include_usage")
            json.bool(true)
            json.endObject()
        }
        switch dialect {
        case .openAI(let bound): writeOpenAI(call, bound: bound, to: &json)
        case .llamaServer: writeLlamaServer(call, to: &json)
        }
        if !request.stop.isEmpty {
            json.key("stop")
            json.beginArray()
            for stop in request.stop { json.string(stop) }
            json.endArray()
        }
        json.endObject()
        return json.finish()
    }

    // MARK: Messages

    private static func write(
        _ message: ChatMessage, in dialect: Dialect, to json: inout JSONWriter
    ) {
        json.beginObject()
        json.key("role")
        json.string(role(message.role, in: dialect))
        json.key("content")
        switch message.content {
        case .text(let text): json.string(text)
        case .parts(let parts):
            json.beginArray()
            for part in parts {
                json.beginObject()
                json.key("type")
                json.string("text")
                json.key("text")
                json.string(part)
                json.endObject()
            }
            json.endArray()
        }
        if let name = message.name {
            json.key("name")
            json.string(name)
        }
        json.endObject()
    }

    /// Chat templates know neither `developer`, which is OpenAI's newer word for `system`, nor
    /// `function`, its older one for `tool`.
    private static func role(_ role: ChatMessage.Role, in dialect: Dialect) -> String {
        guard dialect == .llamaServer else { return role.rawValue }
        return switch role {
        case .developer: ChatMessage.Role.system.rawValue
        case .function: ChatMessage.Role.tool.rawValue
        case .system, .user, .assistant, .tool: role.rawValue
        }
    }

    // MARK: Parameters

    /// Sends what the client set and leaves the rest to the upstream.
    private static func writeOpenAI(
        _ call: BackendCall, bound: Dialect.BoundParameter, to json: inout JSONWriter
    ) {
        let request = call.request
        switch bound {
        case .maxCompletionTokens: json.key("max_completion_tokens")
        case .maxTokens: json.key("max_tokens")
        }
        json.integer(call.completionBound)
        write("temperature", request.temperature, to: &json)
        write("top_p", request.topP, to: &json)
        write("frequency_penalty", request.frequencyPenalty, to: &json)
        write("presence_penalty", request.presencePenalty, to: &json)
        if let seed = request.seed {
            json.key("seed")
            json.integer(seed)
        }
        if let user = request.user {
            json.key("user")
            json.string(user)
        }
    }

    /// Sends every value that matters, since llama-server's own defaults (temperature 0.8, top_p
    /// 0.95, top_k 40, min_p 0.05) are not those a client of OpenAI's API relies on.
    private static func writeLlamaServer(_ call: BackendCall, to json: inout JSONWriter) {
        let request = call.request
        json.key("max_tokens")
        json.integer(call.completionBound)
        write("temperature", request.temperature ?? 1, to: &json)
        write("top_p", request.topP ?? 1, to: &json)
        json.key("top_k")
        json.integer(request.topK ?? 0)
        write("min_p", request.minP ?? 0, to: &json)
        write("repeat_penalty", request.repetitionPenalty ?? 1, to: &json)
        write("frequency_penalty", request.frequencyPenalty ?? 0, to: &json)
        write("presence_penalty", request.presencePenalty ?? 0, to: &json)
        if let seed = request.seed {
            json.key("seed")
            json.unsigned(UInt64(engineSeed(seed)))
            // What the cache holds differs from run to run and so would the rounding, and then the
            // text.
            json.key("cache_prompt")
            json.bool(false)
        }
        json.key("reasoning_format")
        json.string("deepseek")
        json.key("timings_per_token")
        json.bool(true)
    }

    /// A seed modulo 2^32, but for the one value that llama-server reads as "take a random one".
    static func engineSeed(_ seed: Int64) -> UInt32 {
        let reduced = UInt32(truncatingIfNeeded: seed)
        return reduced == .max ? .max - 1 : reduced
    }

    private static func write(_ name: StaticString, _ value: Double?, to json: inout JSONWriter) {
        guard let value else { return }
        json.key(name)
        json.double(value)
    }

    private static func textBytes(of request: ChatCompletionRequest) -> Int {
        request.messages.reduce(0) { sum, message in
            message.content.texts.reduce(sum + 64) { $0 + $1.utf8.count + 32 }
        }
    }
}
