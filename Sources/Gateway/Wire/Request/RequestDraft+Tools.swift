import JSON

/// The functions offered to the model, in both of OpenAI's forms.
extension RequestDraft {
    /// Takes what is about tools.
    mutating func take(
        _ parameter: RequestParameter.Tools, _ value: JSONValue
    ) throws(RequestFault) {
        let name = parameter.rawValue
        switch parameter {
        case .tools:
            for (position, element) in try list(value, name).enumerated() {
                request.tools.functions.append(try tool(element, "\(name)[\(position)]"))
            }
        case .functions:
            var functions: [FunctionTool] = []
            for (position, element) in try list(value, name).enumerated() {
                functions.append(try function(element, "\(name)[\(position)]"))
            }
            legacyFunctions = functions
        case .toolChoice: request.tools.choice = try toolChoice(value, name)
        case .functionCall: legacyChoice = try functionCall(value, name)
        case .parallelToolCalls:
            request.tools.allowsParallel = try ParameterReading.bool(value, name)
        }
    }

    /// Checks what holds between the parameters about tools, and turns the older form into the
    /// newer.
    mutating func finishTools() throws(RequestFault) {
        var choiceName = "tool_choice"
        if !legacyFunctions.isEmpty {
            guard request.tools.functions.isEmpty else {
                throw RequestFault(
                    "'functions' and 'tools' are both given; give one.", parameter: "functions",
                    code: .invalidValue)
            }
            request.tools.functions = legacyFunctions
            request.tools.isLegacy = true
        }
        if let legacyChoice {
            guard request.tools.choice == nil else {
                throw RequestFault(
                    "'function_call' and 'tool_choice' are both given; give one.",
                    parameter: "function_call", code: .invalidValue)
            }
            request.tools.choice = legacyChoice
            choiceName = "function_call"
        }
        if request.tools.functions.isEmpty {
            guard request.tools.choice == nil || request.tools.choice == ToolChoice.none else {
                throw RequestFault(
                    "'\(choiceName)' is only allowed when '\(choiceName == "tool_choice" ? "tools" : "functions")' are given.",
                    parameter: choiceName, code: .invalidValue)
            }
            request.tools = ToolUse()
        }
        if case .function(let name)? = request.tools.choice,
            !request.tools.functions.contains(where: { $0.name == name })
        {
            throw .value(choiceName, expected: "the name of a function that is given")
        }
    }

    // MARK: Functions

    private func list(_ value: JSONValue, _ name: String) throws(RequestFault) -> JSONElements {
        guard value.kind == .array else { throw .type(name, expected: "an array") }
        guard value.count <= ParameterLimits.mostTools else {
            throw RequestFault(
                "Invalid '\(name)': expected at most \(ParameterLimits.mostTools) items.",
                parameter: name,
                code: .arrayAboveMaxLength)
        }
        return value.elements
    }

    private func tool(_ value: JSONValue, _ path: String) throws(RequestFault) -> FunctionTool {
        guard value.kind == .object else { throw .type(path, expected: "an object") }
        guard let type = value["type"], !type.isNull else { throw .missing("\(path).type") }
        let word = try ParameterReading.string(type, "\(path).type")
        guard word == "function" else {
            if word == "custom" { throw .unsupported("\(path).type") }
            throw .value("\(path).type", expected: "'function'")
        }
        guard let function = value["function"], !function.isNull else {
            throw .missing("\(path).function")
        }
        return try self.function(function, "\(path).function")
    }

    private func function(
        _ value: JSONValue, _ path: String
    ) throws(RequestFault) -> FunctionTool {
        guard value.kind == .object else { throw .type(path, expected: "an object") }
        var function = FunctionTool(name: try ParameterReading.name(value["name"], "\(path).name"))
        if let description = value["description"], !description.isNull {
            function.description = try ParameterReading.string(description, "\(path).description")
        }
        if let parameters = value["parameters"], !parameters.isNull {
            guard parameters.kind == .object else {
                throw .type("\(path).parameters", expected: "an object")
            }
            function.parameters = JSONFragment(parameters)
        }
        if let strict = value["strict"], !strict.isNull {
            function.isStrict = try ParameterReading.bool(strict, "\(path).strict")
        }
        return function
    }

    // MARK: Choices

    private func toolChoice(
        _ value: JSONValue, _ name: String
    ) throws(RequestFault) -> ToolChoice {
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
        switch try ParameterReading.string(type, "\(name).type") {
        case "function": break
        case "custom", "allowed_tools": throw .unsupported("\(name).type")
        default: throw .value("\(name).type", expected: "'function'")
        }
        guard let function = value["function"], !function.isNull else {
            throw .missing("\(name).function")
        }
        guard function.kind == .object else {
            throw .type("\(name).function", expected: "an object")
        }
        return .function(try ParameterReading.name(function["name"], "\(name).function.name"))
    }

    private func functionCall(
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
}
