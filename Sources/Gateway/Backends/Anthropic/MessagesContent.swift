import JSON

/// Writes a conversation in Anthropic's format.
enum MessagesContent {
    /// Writes `system` and `messages`.
    static func write(_ conversation: MessagesConversation, to json: inout JSONWriter) {
        if !conversation.system.isEmpty {
            json.key("system")
            write(conversation.system, to: &json)
        }
        json.key("messages")
        json.beginArray()
        for turn in conversation.turns {
            json.beginObject()
            json.key("role")
            json.string(turn.isAssistant ? "assistant" : "user")
            json.key("content")
            json.beginArray()
            for block in turn.blocks { write(block, to: &json) }
            json.endArray()
            json.endObject()
        }
        json.endArray()
    }

    private static func write(_ texts: [String], to json: inout JSONWriter) {
        json.beginArray()
        for text in texts { write(.text(text), to: &json) }
        json.endArray()
    }

    private static func write(_ block: MessagesConversation.Block, to json: inout JSONWriter) {
        json.beginObject()
        switch block {
        case .text(let text):
            json.member("type", "text")
            json.member("text", text)
        case .image(let image): write(image, to: &json)
        case .toolUse(let call):
            json.member("type", "tool_use")
            json.member("id", MessagesToolID.make(of: call.id))
            json.member("name", call.name)
            json.key("input")
            json.raw(ObjectText.rewritten(call.arguments) ?? Array("{}".utf8))
        case .toolResult(let id, let texts):
            json.member("type", "tool_result")
            json.member("tool_use_id", MessagesToolID.make(of: id))
            if !texts.isEmpty {
                json.key("content")
                write(texts, to: &json)
            }
        }
        json.endObject()
    }

    private static func write(_ image: ImagePart, to json: inout JSONWriter) {
        json.member("type", "image")
        guard let image = MessagesImage(image) else { return }
        json.key("source")
        json.beginObject()
        json.member("type", "base64")
        json.member("media_type", image.mediaType)
        json.key("data")
        json.string(String(image.data))
        json.endObject()
    }
}
