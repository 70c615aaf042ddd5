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
        for message in request.messages {
            ForwardedMessage.write(message, in: dialect, to: &json)
        }
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
            if dialect.asksForContinuousUsage { json.member("continuous_usage_stats", true) }
            json.endObject()
        }
        switch dialect {
        case .openAI(let bound, let extras):
            OpenAIParameters.write(call, bound: bound, extras: extras, to: &json)
        case .llamaServer: LlamaServerParameters.write(call, to: &json)
        }
        ForwardedTools.write(request.tools, in: dialect, to: &json)
        ForwardedFormat.write(request.format, to: &json)
        writeShared(request, to: &json)
        json.endObject()
        return json.finish()
    }

    /// What both dialects call and mean the same.
    private static func writeShared(_ request: ChatCompletionRequest, to json: inout JSONWriter) {
        if !request.stop.isEmpty {
            json.key("stop")
            json.beginArray()
            for stop in request.stop { json.string(stop) }
            json.endArray()
        }
        if !request.logitBias.isEmpty {
            json.key("logit_bias")
            json.beginObject()
            for entry in request.logitBias {
                json.key(String(entry.token))
                write(entry.bias, to: &json)
            }
            json.endObject()
        }
    }

    /// A number, without a point where it is whole: OpenAI takes biases as integers only.
    private static func write(_ value: Double, to json: inout JSONWriter) {
        if let whole = Int64(exactly: value) {
            json.integer(whole)
        } else {
            json.double(value)
        }
    }

    private static func textBytes(of request: ChatCompletionRequest) -> Int {
        Int(PromptBound.bytes(request)) + 96 * request.messages.count
            + 128 * request.tools.functions.count
    }
}

extension JSONWriter {
    /// Writes a member, if it has a value.
    mutating func member(_ name: StaticString, _ value: Double?) {
        guard let value else { return }
        key(name)
        double(value)
    }

    /// Writes a member, if it has a value.
    mutating func member(_ name: StaticString, _ value: String?) {
        guard let value else { return }
        key(name)
        string(value)
    }

    /// Writes a member, if it has a value.
    mutating func member(_ name: StaticString, _ value: Bool?) {
        guard let value else { return }
        key(name)
        bool(value)
    }
}
