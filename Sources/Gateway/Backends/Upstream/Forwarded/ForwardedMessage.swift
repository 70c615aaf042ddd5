import JSON

/// Writes one message of a forwarded request.
enum ForwardedMessage {
    /// Writes `message` as `dialect` knows it.
    static func write(_ message: ChatMessage, in dialect: Dialect, to json: inout JSONWriter) {
        json.beginObject()
        json.key("role")
        json.string(role(message.role, in: dialect))
        write(message.content, in: dialect, to: &json)
        json.member("name", message.name)
        json.member("tool_call_id", message.toolCallID)
        if dialect.keepsReasoning { json.member("reasoning_content", message.reasoning) }
        if dialect.keepsChannels { json.member("channel", message.channel?.rawValue) }
        write(message.toolCalls, to: &json)
        if let id = message.spokenID {
            json.key("audio")
            json.beginObject()
            json.member("id", id)
            json.endObject()
        }
        json.endObject()
    }

    /// Writes what is said as a member `content`.
    static func write(
        _ content: ChatMessage.Content, in dialect: Dialect, to json: inout JSONWriter
    ) {
        json.key("content")
        switch content {
        case .text(let text): json.string(text)
        case .parts(let parts):
            json.beginArray()
            for part in parts { ForwardedPart.write(part, in: dialect, to: &json) }
            json.endArray()
        case .none: json.null()
        }
    }

    private static func write(_ calls: [ToolCall], to json: inout JSONWriter) {
        guard !calls.isEmpty else { return }
        json.key("tool_calls")
        json.beginArray()
        for call in calls {
            json.beginObject()
            json.key("id")
            json.string(call.id)
            json.member("type", call.isCustom ? "custom" : "function")
            json.key(call.isCustom ? "custom" : "function")
            json.beginObject()
            json.member("name", call.name)
            json.member(call.isCustom ? "input" : "arguments", call.arguments)
            json.endObject()
            json.endObject()
        }
        json.endArray()
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
}
