import JSON

/// Writes the functions that the model may call in Anthropic's format.
enum MessagesTools {
    /// Writes `tools` and `tool_choice`; nothing where there are no functions.
    static func write(_ asked: ToolUse, to json: inout JSONWriter) {
        // It knows no choice among some of the tools.
        let tools = asked.narrowed
        guard !tools.functions.isEmpty else { return }
        json.key("tools")
        json.beginArray()
        for tool in tools.functions { write(tool, to: &json) }
        json.endArray()
        writeChoice(tools, to: &json)
    }

    private static func write(_ tool: FunctionTool, to json: inout JSONWriter) {
        json.beginObject()
        json.member("name", tool.name)
        json.member("description", tool.description)
        json.key("input_schema")
        if let parameters = tool.parameters {
            // OpenAI's schemas may leave out what arguments always are.
            json.raw(ObjectText.adding("type", "object", to: parameters))
        } else {
            json.raw(#"{"type":"object","properties":{}}"#)
        }
        json.member("strict", tool.isStrict)
        json.endObject()
    }

    private static func writeChoice(_ tools: ToolUse, to json: inout JSONWriter) {
        // Both sides may call several functions at once unless they are told not to.
        guard tools.choice != nil || !tools.isParallel else { return }
        json.key("tool_choice")
        json.beginObject()
        switch tools.choice {
        // The last two do not come here: refused, or narrowed.
        case .auto, nil, .custom, .allowed: json.member("type", "auto")
        case .required: json.member("type", "any")
        case .some(.none): json.member("type", "none")
        case .function(let name):
            json.member("type", "tool")
            json.member("name", name)
        }
        if tools.choice != ToolChoice.none && !tools.isParallel {
            json.member("disable_parallel_tool_use", true)
        }
        json.endObject()
    }
}
