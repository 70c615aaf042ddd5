import JSON

/// Writes the tools that the model may call, always in OpenAI's newer form.
enum ForwardedTools {
    /// Writes what is about tools; nothing where there are none.
    static func write(_ tools: ToolUse, in dialect: Dialect, to json: inout JSONWriter) {
        let offered = told(of: tools, in: dialect)
        guard !offered.isEmpty else { return }
        json.key("tools")
        json.beginArray()
        for tool in offered { write(tool, to: &json) }
        json.endArray()
        let choice = dialect.knowsAllowedTools ? tools.choice : tools.narrowed.choice
        writeChoice(choice, in: dialect, to: &json)
        // Their defaults differ: OpenAI's is yes, llama-server's is no.
        json.key("parallel_tool_calls")
        json.bool(tools.isParallel)
    }

    /// What a dialect is told of.
    ///
    /// llama-server knows no named choice: it is told only of that function, which it then must
    /// call. Under `none` it would still show the functions to the model, which then writes calls
    /// as text: it is told of none.
    static func told(of tools: ToolUse, in dialect: Dialect) -> [FunctionTool] {
        guard dialect == .llamaServer else {
            return dialect.knowsAllowedTools ? tools.functions : tools.narrowed.functions
        }
        if case .function(let name)? = tools.choice {
            return tools.functions.filter { $0.name == name && $0.input == nil }
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
        case .function(let name): write(ToolName(name: name, isCustom: false), to: &json)
        case .custom(let name): write(ToolName(name: name, isCustom: true), to: &json)
        case .allowed(let allowed):
            json.beginObject()
            json.member("type", "allowed_tools")
            json.key("allowed_tools")
            json.beginObject()
            json.member("mode", allowed.isRequired ? "required" : "auto")
            json.key("tools")
            json.beginArray()
            for tool in allowed.tools { write(tool, to: &json) }
            json.endArray()
            json.endObject()
            json.endObject()
        }
    }

    private static func write(_ tool: ToolName, to json: inout JSONWriter) {
        json.beginObject()
        json.member("type", tool.isCustom ? "custom" : "function")
        json.key(tool.isCustom ? "custom" : "function")
        json.beginObject()
        json.member("name", tool.name)
        json.endObject()
        json.endObject()
    }

    private static func write(_ tool: FunctionTool, to json: inout JSONWriter) {
        json.beginObject()
        json.member("type", tool.input == nil ? "function" : "custom")
        json.key(tool.input == nil ? "function" : "custom")
        json.beginObject()
        json.member("name", tool.name)
        json.member("description", tool.description)
        if let parameters = tool.parameters {
            json.key("parameters")
            json.raw(parameters.bytes)
        }
        json.member("strict", tool.isStrict)
        if case .grammar(let definition, let syntax)? = tool.input {
            json.key("format")
            json.beginObject()
            json.member("type", "grammar")
            json.key("grammar")
            json.beginObject()
            json.member("definition", definition)
            json.member("syntax", syntax.rawValue)
            json.endObject()
            json.endObject()
        }
        json.endObject()
        json.endObject()
    }
}
