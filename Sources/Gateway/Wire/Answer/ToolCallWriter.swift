import JSON

/// Writes tool calls, in OpenAI's newer form or its older one.
enum ToolCallWriter {
    /// Writes the calls of a whole answer as a member of its message.
    ///
    /// - Parameter makeID: the id of a call, by its index, that its backend gave none.
    static func writeMessage(
        _ calls: [ToolCallDelta], isLegacy: Bool, makeID: (Int) -> String,
        _ writer: inout JSONWriter
    ) {
        if isLegacy {
            guard let call = calls.first else { return }
            writer.key("function_call")
            writeFunction(call, isFirst: true, &writer)
            return
        }
        writer.key("tool_calls")
        writer.beginArray()
        for call in calls {
            writer.beginObject()
            writer.key("id")
            writer.string(call.id ?? makeID(call.index))
            writer.key("type")
            writer.string(kind(call))
            writer.key(kind(call))
            writeFunction(call, isFirst: true, &writer)
            writer.endObject()
        }
        writer.endArray()
    }

    /// Writes one piece of a call as an element of a delta's `tool_calls`. The first piece of a
    /// call says its id and its name; the others only go on with its arguments.
    static func writePiece(
        _ piece: ToolCallDelta, isFirst: Bool, makeID: (Int) -> String, _ writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.key("index")
        writer.integer(piece.index)
        if isFirst {
            writer.key("id")
            writer.string(piece.id ?? makeID(piece.index))
            writer.key("type")
            writer.string(kind(piece))
        }
        writer.key(kind(piece))
        writeFunction(piece, isFirst: isFirst, &writer)
        writer.endObject()
    }

    private static func kind(_ call: ToolCallDelta) -> String {
        call.isCustom ? "custom" : "function"
    }

    /// Writes `{name, arguments}`, or only the arguments of a piece that is not the first; a custom
    /// tool has an input in their place.
    static func writeFunction(
        _ call: ToolCallDelta, isFirst: Bool, _ writer: inout JSONWriter
    ) {
        writer.beginObject()
        if isFirst {
            writer.key("name")
            writer.string(call.name ?? "")
        }
        writer.key(call.isCustom ? "input" : "arguments")
        writer.string(call.arguments ?? "")
        writer.endObject()
    }
}
