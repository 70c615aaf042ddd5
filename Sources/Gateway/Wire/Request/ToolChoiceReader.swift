import JSON

/// Reads which tool the model may or must call, in both of OpenAI's forms.
enum ToolChoiceReader {
    /// Reads the value of `tool_choice`.
    static func toolChoice(_ value: JSONValue, _ name: String) throws(RequestFault) -> ToolChoice {
        if let word = value.string {
            switch word {
            case "none": return .none
            case "auto": return .auto
            case "required": return .required
            default: throw .value(name, expected: "'none', 'auto', 'required' or an object")
            }
        }
        guard value.kind == .object else { throw .type(name, expected: "a string or an object") }
        guard let type = value["type"], !type.isNull else { throw .missing("\(name).type") }
        if type.isString("allowed_tools") {
            return .allowed(try allowed(value["allowed_tools"], "\(name).allowed_tools"))
        }
        let tool = try reference(value, name, orElse: " or 'allowed_tools'")
        return tool.isCustom ? .custom(tool.name) : .function(tool.name)
    }

    /// Reads the value of `function_call`.
    static func functionCall(
        _ value: JSONValue, _ name: String
    ) throws(RequestFault) -> ToolChoice {
        if let word = value.string {
            switch word {
            case "none": return .none
            case "auto": return .auto
            default: throw .value(name, expected: "'none', 'auto' or an object")
            }
        }
        guard value.kind == .object else { throw .type(name, expected: "a string or an object") }
        return .function(try ParameterReading.name(value["name"], "\(name).name"))
    }

    private static func allowed(
        _ value: JSONValue?, _ path: String
    ) throws(RequestFault) -> AllowedTools {
        guard let value, !value.isNull else { throw .missing(path) }
        guard value.kind == .object else { throw .type(path, expected: "an object") }
        guard let mode = value["mode"], !mode.isNull else { throw .missing("\(path).mode") }
        let word = try ParameterReading.string(mode, "\(path).mode")
        guard word == "auto" || word == "required" else {
            throw .value("\(path).mode", expected: "'auto' or 'required'")
        }
        guard let list = value["tools"], !list.isNull else { throw .missing("\(path).tools") }
        guard list.kind == .array else { throw .type("\(path).tools", expected: "an array") }
        guard list.count > 0 else {
            throw RequestFault(
                "Invalid '\(path).tools': expected at least one tool.",
                parameter: "\(path).tools", code: .emptyArray)
        }
        guard list.count <= ParameterLimits.mostTools else {
            throw RequestFault(
                "Invalid '\(path).tools': expected at most \(ParameterLimits.mostTools) items.",
                parameter: "\(path).tools", code: .arrayAboveMaxLength)
        }
        var tools: [ToolName] = []
        for (position, element) in list.elements.enumerated() {
            let path = "\(path).tools[\(position)]"
            guard element.kind == .object else { throw .type(path, expected: "an object") }
            tools.append(try reference(element, path, orElse: ""))
        }
        return AllowedTools(isRequired: word == "required", tools: tools)
    }

    /// `{type: function, function: {name}}`, and the same of a custom tool.
    private static func reference(
        _ value: JSONValue, _ path: String, orElse others: String
    ) throws(RequestFault) -> ToolName {
        guard let type = value["type"], !type.isNull else { throw .missing("\(path).type") }
        let word = try ParameterReading.string(type, "\(path).type")
        guard word == "function" || word == "custom" else {
            throw .value("\(path).type", expected: "'function', 'custom'\(others)")
        }
        guard let tool = value[word], !tool.isNull else { throw .missing("\(path).\(word)") }
        guard tool.kind == .object else { throw .type("\(path).\(word)", expected: "an object") }
        return ToolName(
            name: try ParameterReading.name(tool["name"], "\(path).\(word).name"),
            isCustom: word == "custom")
    }
}

extension ToolChoice {
    /// The tools that it names.
    var named: [ToolName] {
        switch self {
        case .none, .auto, .required: []
        case .function(let name): [ToolName(name: name, isCustom: false)]
        case .custom(let name): [ToolName(name: name, isCustom: true)]
        case .allowed(let allowed): allowed.tools
        }
    }
}
