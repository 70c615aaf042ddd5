import JSON

/// Reads `tool_calls`, and the older `function_call`, of a backend's choice.
enum ToolCallReader {
    /// The most calls that one choice may make.
    static let maximumCalls = 128

    /// The pieces of calls in a delta or a message; none when there is nothing of the kind. Throws
    /// for what is there and cannot be read: a call that is lost would change what the model said.
    ///
    /// - Parameter isWhole: whether the calls are complete, so that their place is their index.
    static func calls(
        in text: JSONValue?, isWhole: Bool
    ) throws(BackendFailure) -> [ToolCallDelta] {
        if let list = text?["tool_calls"], !list.isNull {
            guard list.kind == .array else { throw malformed("`tool_calls` is no array") }
            var calls: [ToolCallDelta] = []
            for (position, call) in list.elements.enumerated() {
                calls.append(try self.call(call, position: isWhole ? position : nil))
            }
            return calls
        }
        if let call = text?["function_call"], !call.isNull {
            guard call.kind == .object else { throw malformed("`function_call` is no object") }
            return [
                ToolCallDelta(
                    index: 0, name: try string(call["name"]),
                    arguments: try string(call["arguments"]))
            ]
        }
        return []
    }

    private static func call(
        _ value: JSONValue, position: Int?
    ) throws(BackendFailure) -> ToolCallDelta {
        guard value.kind == .object else { throw malformed("a tool call is no object") }
        var index = position ?? 0
        if position == nil, let given = value["index"], !given.isNull {
            guard let number = given.integer, (0..<Int64(maximumCalls)).contains(number) else {
                throw malformed("a tool call has no usable index")
            }
            index = Int(number)
        }
        guard index < maximumCalls else { throw malformed("too many tool calls") }
        let custom = value["custom"].flatMap { $0.isNull ? nil : $0 }
        let isCustom = custom != nil || value["type"]?.isString("custom") == true
        let body = isCustom ? custom : value["function"]
        return ToolCallDelta(
            index: index, id: try string(value["id"]), name: try string(body?["name"]),
            arguments: try string(body?[isCustom ? "input" : "arguments"]), isCustom: isCustom)
    }

    private static func string(_ value: JSONValue?) throws(BackendFailure) -> String? {
        guard let value, !value.isNull else { return nil }
        guard let string = value.string else { throw malformed("a tool call holds no string") }
        return string
    }

    private static func malformed(_ detail: String) -> BackendFailure {
        BackendFailure(kind: .malformed, detail: detail)
    }
}
