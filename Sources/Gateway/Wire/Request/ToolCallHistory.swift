import JSON

/// Reads the calls that an assistant made earlier in a conversation.
enum ToolCallHistory {
    /// Reads the value of `tool_calls`.
    static func calls(_ value: JSONValue, _ path: String) throws(RequestFault) -> [ToolCall] {
        guard value.kind == .array else { throw .type(path, expected: "an array") }
        guard value.count <= ParameterLimits.mostTools else {
            throw RequestFault(
                "Invalid '\(path)': expected at most \(ParameterLimits.mostTools) items.",
                parameter: path,
                code: .arrayAboveMaxLength)
        }
        var calls: [ToolCall] = []
        for (position, element) in value.elements.enumerated() {
            calls.append(try call(element, "\(path)[\(position)]"))
        }
        return calls
    }

    private static func call(_ value: JSONValue, _ path: String) throws(RequestFault) -> ToolCall {
        guard value.kind == .object else { throw .type(path, expected: "an object") }
        // Some clients leave the type out, and used to have only one.
        var isCustom = false
        if let type = value["type"], !type.isNull {
            let word = try ParameterReading.string(type, "\(path).type")
            guard word == "function" || word == "custom" else {
                throw .value("\(path).type", expected: "'function' or 'custom'")
            }
            isCustom = word == "custom"
        }
        guard let id = value["id"], !id.isNull else { throw .missing("\(path).id") }
        if isCustom {
            guard let custom = value["custom"], !custom.isNull else {
                throw .missing("\(path).custom")
            }
            return try self.custom(
                custom, "\(path).custom", id: try ParameterReading.string(id, "\(path).id"))
        }
        guard let function = value["function"], !function.isNull else {
            throw .missing("\(path).function")
        }
        return try self.function(
            function, "\(path).function", id: try ParameterReading.string(id, "\(path).id"))
    }

    /// Reads `{name, input}`.
    private static func custom(
        _ value: JSONValue, _ path: String, id: String
    ) throws(RequestFault) -> ToolCall {
        guard value.kind == .object else { throw .type(path, expected: "an object") }
        let name = try ParameterReading.name(value["name"], "\(path).name")
        guard let input = value["input"], !input.isNull else { throw .missing("\(path).input") }
        return ToolCall(
            id: id, name: name, arguments: try ParameterReading.string(input, "\(path).input"),
            isCustom: true)
    }

    /// Reads `{name, arguments}`.
    static func function(
        _ value: JSONValue, _ path: String, id: String
    ) throws(RequestFault) -> ToolCall {
        guard value.kind == .object else { throw .type(path, expected: "an object") }
        let name = try ParameterReading.name(value["name"], "\(path).name")
        guard let arguments = value["arguments"], !arguments.isNull else {
            throw .missing("\(path).arguments")
        }
        let text = try ParameterReading.string(arguments, "\(path).arguments")
        return ToolCall(id: id, name: name, arguments: text, hasObject: isObject(text))
    }

    /// Whether a call's arguments are a JSON object, as templates need them.
    static func isObject(_ text: String) -> Bool {
        let parser = JSONParser(
            maximumBytes: max(1, text.utf8.count), maximumDepth: 64, maximumNodes: 100_000,
            checkDuplicateKeys: false)
        // What is no JSON is no object either.
        return (try? parser.parse(text).root.kind) == .object
    }
}

/// OpenAI's older form of calls: without ids, and answered by messages of the role `function`.
enum LegacyCalls {
    /// The id of the call in the message at `position`.
    static func id(at position: Int) -> String { "call_\(position)" }

    /// Turns each answer of a function into one of a tool, where the call it answers is known: a
    /// call that was turned into the newer form needs one.
    static func answer(_ messages: inout [ChatMessage]) {
        for position in messages.indices where messages[position].role == .function {
            let call = messages[..<position].last { !$0.toolCalls.isEmpty }?.toolCalls.first
            guard let call, call.name == messages[position].name else { continue }
            messages[position].role = .tool
            messages[position].toolCallID = call.id
        }
    }
}
