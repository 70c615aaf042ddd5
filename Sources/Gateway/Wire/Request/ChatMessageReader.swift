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
            let path = "messages[\(position)]"
            guard element.kind == .object else { throw .type(path, expected: "an object") }
            messages.append(try message(element, path, position))
        }
        LegacyCalls.answer(&messages)
        return messages
    }

    private static func message(
        _ value: JSONValue, _ path: String, _ position: Int
    ) throws(RequestFault) -> ChatMessage {
        let role = try role(value["role"], "\(path).role")
        var message = ChatMessage(role: role, content: .none)
        if let given = value["name"], !given.isNull {
            message.name = try ParameterReading.string(given, "\(path).name")
        }
        if role == .function && message.name == nil { throw .missing("\(path).name") }
        try readCalls(value, path, position, into: &message)
        try readReasoning(value, path, into: &message)
        try readAudio(value, path, into: &message)
        if let channel = value["channel"], !channel.isNull {
            try assertAssistant(message, "\(path).channel")
            message.channel = try ParameterReading.word(channel, "\(path).channel")
        }
        message.content = try content(value, path, of: message)
        return message
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
        return role
    }

    // MARK: Calls and reasoning

    private static func readCalls(
        _ value: JSONValue, _ path: String, _ position: Int, into message: inout ChatMessage
    ) throws(RequestFault) {
        if let id = try text(value, "tool_call_id", path) {
            guard message.role == .tool else {
                throw .value("\(path).tool_call_id", expected: "nothing but in a tool message")
            }
            message.toolCallID = id
        }
        if message.role == .tool && message.toolCallID == nil {
            throw .missing("\(path).tool_call_id")
        }
        if let given = value["tool_calls"], !given.isNull {
            if given.count > 0 { try assertAssistant(message, "\(path).tool_calls") }
            message.toolCalls = try ToolCallHistory.calls(given, "\(path).tool_calls")
        }
        if let call = value["function_call"], !call.isNull {
            try assertAssistant(message, "\(path).function_call")
            guard message.toolCalls.isEmpty else {
                throw .value("\(path).function_call", expected: "nothing beside 'tool_calls'")
            }
            message.toolCalls = [
                try ToolCallHistory.function(
                    call, "\(path).function_call", id: LegacyCalls.id(at: position))
            ]
        }
    }

    private static func readReasoning(
        _ value: JSONValue, _ path: String, into message: inout ChatMessage
    ) throws(RequestFault) {
        for name in ["reasoning_content", "reasoning"] {
            guard let text = try text(value, name, path) else { continue }
            try assertAssistant(message, "\(path).\(name)")
            message.reasoning = message.reasoning ?? text
        }
    }

    /// `{id}`, as an answer told it. Clients send back all of what they got; the sound itself lies
    /// at the upstream.
    private static func readAudio(
        _ value: JSONValue, _ path: String, into message: inout ChatMessage
    ) throws(RequestFault) {
        guard let audio = value["audio"], !isEmpty(audio) else { return }
        let path = "\(path).audio"
        try assertAssistant(message, path)
        guard audio.kind == .object else { throw .type(path, expected: "an object") }
        guard let id = audio["id"], !id.isNull else { throw .missing("\(path).id") }
        let text = try ParameterReading.string(id, "\(path).id")
        guard !text.isEmpty else { throw .value("\(path).id", expected: "an id") }
        guard text.unicodeScalars.count <= ParameterLimits.longestName else {
            throw RequestFault(
                "Invalid '\(path).id': must be at most \(ParameterLimits.longestName) characters "
                    + "long.", parameter: "\(path).id", code: .stringAboveMaxLength)
        }
        message.spokenID = text
    }

    /// A member that is a string; nil when it is empty, null or absent, which says nothing: clients
    /// send an answer's message back as they got it.
    private static func text(
        _ message: JSONValue, _ name: String, _ path: String
    ) throws(RequestFault) -> String? {
        guard let value = message[name], !value.isNull else { return nil }
        let text = try ParameterReading.string(value, "\(path).\(name)")
        return text.isEmpty ? nil : text
    }

    private static func assertAssistant(
        _ message: ChatMessage, _ path: String
    ) throws(RequestFault) {
        guard message.role == .assistant else {
            throw .value(path, expected: "nothing but in an assistant message")
        }
    }

    // MARK: Content

    private static func content(
        _ message: JSONValue, _ path: String, of read: ChatMessage
    ) throws(RequestFault) -> ChatMessage.Content {
        let refusal = try text(message, "refusal", path)
        let path = "\(path).content"
        guard let value = message["content"], !value.isNull else {
            if !read.toolCalls.isEmpty || read.spokenID != nil { return .none }
            // A refusal is all that such an assistant said.
            if let refusal { return .text(refusal) }
            if message["content"] == nil { throw .missing(path) }
            throw .type(path, expected: "a string or an array of parts")
        }
        if let text = value.string { return .text(text) }
        guard value.kind == .array else {
            throw .type(path, expected: "a string or an array of parts")
        }
        guard value.count > 0 else {
            throw RequestFault(
                "Invalid '\(path)': expected at least one part.", parameter: path, code: .emptyArray
            )
        }
        var parts: [ContentPart] = []
        for (position, element) in value.elements.enumerated() {
            parts.append(
                try ContentPartReader.part(element, "\(path)[\(position)]", of: read.role))
        }
        return .parts(parts)
    }

    /// Null and what is empty say nothing.
    private static func isEmpty(_ value: JSONValue) -> Bool {
        switch value.kind {
        case .null: true
        case .array, .object: value.count == 0
        case .string: value.utf8Count == 0
        default: false
        }
    }
}
