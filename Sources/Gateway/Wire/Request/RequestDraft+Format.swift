import JSON

/// The form of the answer.
extension RequestDraft {
    /// Takes what is about the answer's form and length.
    mutating func take(
        _ parameter: RequestParameter.Format, _ value: JSONValue
    ) throws(RequestFault) {
        let name = parameter.rawValue
        switch parameter {
        case .responseFormat: request.format = try format(value, name)
        case .contextLengthExceededBehavior:
            request.overflow = try ParameterReading.word(value, name)
        case .verbosity: request.verbosity = try ParameterReading.word(value, name)
        case .prediction: request.prediction = try prediction(value, name)
        }
    }

    /// `{type: content, content}`: a text, or parts of one.
    private func prediction(
        _ value: JSONValue, _ name: String
    ) throws(RequestFault) -> ChatMessage.Content {
        guard value.kind == .object else { throw .type(name, expected: "an object") }
        guard let type = value["type"], !type.isNull else { throw .missing("\(name).type") }
        guard try ParameterReading.string(type, "\(name).type") == "content" else {
            throw .value("\(name).type", expected: "'content'")
        }
        let path = "\(name).content"
        guard let content = value["content"], !content.isNull else { throw .missing(path) }
        if let text = content.string { return .text(text) }
        guard content.kind == .array else {
            throw .type(path, expected: "a string or an array of parts")
        }
        guard content.count > 0 else {
            throw RequestFault(
                "Invalid '\(path)': expected at least one part.", parameter: path, code: .emptyArray
            )
        }
        var parts: [ContentPart] = []
        for (position, element) in content.elements.enumerated() {
            // A system message has text parts only, like this.
            parts.append(
                try ContentPartReader.part(element, "\(path)[\(position)]", of: .system))
        }
        return .parts(parts)
    }

    private func format(_ value: JSONValue, _ name: String) throws(RequestFault) -> ResponseFormat {
        guard value.kind == .object else { throw .type(name, expected: "an object") }
        guard let type = value["type"], !type.isNull else { throw .missing("\(name).type") }
        switch try ParameterReading.string(type, "\(name).type") {
        case "text": return .text
        case "json_object":
            // llama-server's own form of a schema: refused rather than dropped.
            if let schema = value["schema"], !schema.isNull { throw .unsupported("\(name).schema") }
            return .jsonObject
        case "json_schema":
            guard let schema = value["json_schema"], !schema.isNull else {
                throw .missing("\(name).json_schema")
            }
            return .jsonSchema(try self.schema(schema, "\(name).json_schema"))
        default:
            throw .value("\(name).type", expected: "one of 'text', 'json_object', 'json_schema'")
        }
    }

    private func schema(
        _ value: JSONValue, _ path: String
    ) throws(RequestFault) -> JSONSchemaFormat {
        guard value.kind == .object else { throw .type(path, expected: "an object") }
        let name = try ParameterReading.name(value["name"], "\(path).name")
        // Without one the engine would accept the request and constrain nothing.
        guard let schema = value["schema"], !schema.isNull else { throw .missing("\(path).schema") }
        guard schema.kind == .object else { throw .type("\(path).schema", expected: "an object") }
        var format = JSONSchemaFormat(name: name, schema: JSONFragment(schema))
        if let description = value["description"], !description.isNull {
            format.description = try ParameterReading.string(description, "\(path).description")
        }
        if let strict = value["strict"], !strict.isNull {
            format.isStrict = try ParameterReading.bool(strict, "\(path).strict")
        }
        return format
    }
}
