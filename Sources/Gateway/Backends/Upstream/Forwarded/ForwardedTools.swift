import JSON

/// Writes the functions that the model may call, always in OpenAI's newer form.
enum ForwardedTools {
    /// Writes what is about tools; nothing where there are none.
    static func write(_ tools: ToolUse, in dialect: Dialect, to json: inout JSONWriter) {
        let offered = offered(tools, in: dialect)
        guard !offered.isEmpty else { return }
        json.key("tools")
        json.beginArray()
        for tool in offered { write(tool, to: &json) }
        json.endArray()
        writeChoice(tools.choice, in: dialect, to: &json)
        // Their defaults differ: OpenAI's is yes, llama-server's is no.
        json.key("parallel_tool_calls")
        json.bool(tools.isParallel)
    }

    /// What a dialect is told of.
    ///
    /// llama-server knows no named choice: it is told only of that function, which it then must
    /// call. Under `none` it would still show the functions to the model, which then writes calls
    /// as text: it is told of none.
    private static func offered(_ tools: ToolUse, in dialect: Dialect) -> [FunctionTool] {
        guard dialect == .llamaServer else { return tools.functions }
        if case .function(let name)? = tools.choice {
            return tools.functions.filter { $0.name == name }
        }
        return tools.callable
    }

    private static func writeChoice(
        _ choice: ToolChoice?, in dialect: Dialect, to json: inout JSONWriter
    ) {
        guard let choice else { return }
        json.key("tool_choice")
        switch choice {
        case .none: json.string("none")
        case .auto: json.string("auto")
        case .required: json.string("required")
        case .function where dialect == .llamaServer: json.string("required")
        case .function(let name):
            json.beginObject()
            json.key("type")
            json.string("function")
            json.key("function")
            json.beginObject()
            json.key("name")
            json.string(name)
            json.endObject()
            json.endObject()
        }
    }

    private static func write(_ tool: FunctionTool, to json: inout JSONWriter) {
        json.beginObject()
        json.key("type")
        json.string("function")
        json.key("function")
        json.beginObject()
        json.key("name")
        json.string(tool.name)
        json.member("description", tool.description)
        if let parameters = tool.parameters {
            json.key("parameters")
            json.raw(parameters.bytes)
        }
        json.member("strict", tool.isStrict)
        json.endObject()
        json.endObject()
    }
}
