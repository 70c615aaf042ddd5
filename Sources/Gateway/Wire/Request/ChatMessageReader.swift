import JSON

/// Reads `messages`: an array of messages, or a string that stands for one user message.
enum ChatMessageReader {
    /// Reads the value of `messages`.
    static func messages(_ value: JSONValue) throws(RequestFault) -> [ChatMessage] {
        if let text = value.string { return [ChatMessage(role: .user, content: .text(text))] }
        guard value.kind == .array else {
            throw .type("messages", expected: "an array of messages")
        }
        guard value.count > 0 else {
            throw RequestFault(
                "Invalid 'messages': expected at least one message.", parameter: "messages",
                code: .emptyArray)
        }
        var messages: [ChatMessage] = []
        messages.reserveCapacity(value.count)
        for (position, element) in value.elements.enumerated() {
            messages.append(try message(element, "messages[\(position)]"))
        }
        return messages
    }

    private static func message(
        _ value: JSONValue, _ path: String
    ) throws(RequestFault) -> ChatMessage {
        guard value.kind == .object else { throw .type(path, expected: "an object") }
        if let offence = offence(in: value) { throw .unsupported("\(path).\(offence)") }
        let role = try role(value["role"], "\(path).role")
        var name: String?
        if let given = value["name"], !given.isNull {
            name = try ParameterReading.string(given, "\(path).name")
        }
        if role == .function && name == nil { throw .missing("\(path).name") }
        guard let content = value["content"] else { throw .missing("\(path).content") }
        return ChatMessage(
            role: role, content: try self.content(content, "\(path).content"), name: name)
    }

    private static func role(
        _ value: JSONValue?, _ path: String
    ) throws(RequestFault) -> ChatMessage.Role {
        guard let value, !value.isNull else { throw .missing(path) }
        let word = try ParameterReading.string(value, path)
        guard let role = ChatMessage.Role(rawValue: word) else {
            let known = ChatMessage.Role.allCases.map { "'\($0.rawValue)'" }
            throw .value(path, expected: "one of \(known.joined(separator: ", "))")
        }
        // A tool message answers a call by its id, and calls are not supported yet.
        if role == .tool { throw .unsupported(path) }
        return role
    }

    private static func content(
        _ value: JSONValue, _ path: String
    ) throws(RequestFault) -> ChatMessage.Content {
        if let text = value.string { return .text(text) }
        guard value.kind == .array else {
            // Null is for an assistant that only calls tools, which are not supported yet.
            throw .type(path, expected: "a string or an array of parts")
        }
        guard value.count > 0 else {
            throw RequestFault(
                "Invalid '\(path)': expected at least one part.", parameter: path, code: .emptyArray
            )
        }
        var parts: [String] = []
        for (position, element) in value.elements.enumerated() {
            parts.append(try part(element, "\(path)[\(position)]"))
        }
        return .parts(parts)
    }

    private static func part(_ value: JSONValue, _ path: String) throws(RequestFault) -> String {
        guard value.kind == .object else { throw .type(path, expected: "an object") }
        guard let type = value["type"], !type.isNull else { throw .missing("\(path).type") }
        let word = try ParameterReading.string(type, "\(path).type")
        guard word == "text" else {
            guard otherParts.contains(word) else {
                throw .value("\(path).type", expected: "'text'")
            }
            throw .unsupported("\(path).type")
        }
        guard let text = value["text"], !text.isNull else { throw .missing("\(path).text") }
        return try ParameterReading.string(text, "\(path).text")
    }

    /// The member of a message that asks for what is not supported yet. Null and what is empty ask
    /// for nothing: clients send an answer's message back as they got it.
    private static func offence(in message: JSONValue) -> String? {
        otherMembers.first { name in
            guard let value = message[name], !value.isNull else { return false }
            switch value.kind {
            case .array, .object: return value.count > 0
            case .string: return value.utf8Count > 0
            default: return true
            }
        }
    }

    private static let otherMembers = [
        "tool_calls", "tool_call_id", "function_call", "refusal", "reasoning_content", "reasoning",
        "channel", "audio",
    ]

    private static let otherParts: Set<String> = [
        "image_url", "input_audio", "audio_content", "video_url", "input_video", "file", "refusal",
    ]
}
