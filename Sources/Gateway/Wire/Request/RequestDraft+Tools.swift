import JSON

/// The tools offered to the model; functions in both of OpenAI's forms.
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
        case .toolChoice: request.tools.choice = try ToolChoiceReader.toolChoice(value, name)
        case .functionCall: legacyChoice = try ToolChoiceReader.functionCall(value, name)
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
        try assertOffered(request.tools.choice?.named ?? [], choiceName)
    }

    private func assertOffered(
        _ named: [ToolName], _ choiceName: String
    ) throws(RequestFault) {
        let offered = request.tools.functions.map(\.reference)
        guard named.allSatisfy(offered.contains) else {
            throw .value(choiceName, expected: "the name of a tool that is given")
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
        if word == "custom" {
            guard let custom = value["custom"], !custom.isNull else {
                throw .missing("\(path).custom")
            }
            return try self.custom(custom, "\(path).custom")
        }
        guard word == "function" else {
            throw .value("\(path).type", expected: "'function' or 'custom'")
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

    // MARK: Custom tools

    private func custom(_ value: JSONValue, _ path: String) throws(RequestFault) -> FunctionTool {
        guard value.kind == .object else { throw .type(path, expected: "an object") }
        var tool = FunctionTool(name: try ParameterReading.name(value["name"], "\(path).name"))
        if let description = value["description"], !description.isNull {
            tool.description = try ParameterReading.string(description, "\(path).description")
        }
        tool.input = .text
        if let format = value["format"], !format.isNull {
            tool.input = try input(format, "\(path).format")
        }
        return tool
    }

    private func input(_ value: JSONValue, _ path: String) throws(RequestFault) -> CustomInput {
        guard value.kind == .object else { throw .type(path, expected: "an object") }
        guard let type = value["type"], !type.isNull else { throw .missing("\(path).type") }
        switch try ParameterReading.string(type, "\(path).type") {
        case "text": return .text
        case "grammar": break
        default: throw .value("\(path).type", expected: "'text' or 'grammar'")
        }
        let path = "\(path).grammar"
        guard let grammar = value["grammar"], !grammar.isNull else { throw .missing(path) }
        guard grammar.kind == .object else { throw .type(path, expected: "an object") }
        guard let definition = grammar["definition"], !definition.isNull else {
            throw .missing("\(path).definition")
        }
        guard let syntax = grammar["syntax"], !syntax.isNull else {
            throw .missing("\(path).syntax")
        }
        return .grammar(
            definition: try ParameterReading.string(definition, "\(path).definition"),
            syntax: try ParameterReading.word(syntax, "\(path).syntax"))
    }
}
