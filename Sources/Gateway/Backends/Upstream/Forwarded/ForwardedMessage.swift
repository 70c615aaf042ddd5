import JSON

/// Writes one message of a forwarded request.
enum ForwardedMessage {
    /// Writes `message` as `dialect` knows it.
    static func write(_ message: ChatMessage, in dialect: Dialect, to json: inout JSONWriter) {
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
        json.member("name", message.name)
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
}
