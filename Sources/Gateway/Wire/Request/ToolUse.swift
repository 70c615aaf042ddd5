/// The tools a client offers to the model, and how it may call them.
struct ToolUse: Sendable, Equatable {
    /// At most 128: functions, and tools that take a text.
    var functions: [FunctionTool] = []
    /// Which of them the model may or must call; nil where the client is silent, which means `auto`
    /// with functions.
    var choice: ToolChoice?
    /// Whether one turn may hold several calls; nil where the client is silent, which means yes.
    var allowsParallel: Bool?
    /// Whether they came as `functions`, OpenAI's older form: then the answer is in the older form
    /// too, which has room for one call.
    var isLegacy = false

    /// The tools that the model may call: none when the client forbids calls.
    var callable: [FunctionTool] {
        switch choice {
        case .some(ToolChoice.none): []
        case .allowed(let allowed)?: functions.filter { allowed.tools.contains($0.reference) }
        case nil, .auto?, .required?, .function?, .custom?: functions
        }
    }

    /// The same where a backend knows no choice among some of them: those are all that it is told
    /// of, and it may or must call one.
    var narrowed: ToolUse {
        guard case .allowed(let allowed) = choice else { return self }
        var narrowed = self
        narrowed.functions = callable
        narrowed.choice = allowed.isRequired ? .required : .auto
        return narrowed
    }

    /// Whether one turn may hold several calls.
    var isParallel: Bool { !isLegacy && allowsParallel ?? true }
}

/// One tool that a model may call.
struct FunctionTool: Sendable, Equatable {
    /// `[A-Za-z0-9_-]{1,64}`.
    var name: String
    var description: String?
    /// The JSON Schema of its arguments.
    var parameters: JSONFragment?
    /// Whether the arguments must follow the schema exactly.
    var isStrict: Bool?
    /// What a custom tool takes in place of arguments; nil for a function.
    var input: CustomInput?

    /// How a choice names it.
    var reference: ToolName { ToolName(name: name, isCustom: input != nil) }
}

/// What a custom tool takes: a text that the model writes.
enum CustomInput: Sendable, Equatable {
    /// In which language a grammar is written.
    enum Syntax: String, Sendable, CaseIterable {
        case lark, regex
    }

    /// Any text.
    case text
    /// Text of this grammar.
    case grammar(definition: String, syntax: Syntax)
}

/// Names one of the tools that are offered.
struct ToolName: Sendable, Equatable {
    var name: String
    var isCustom: Bool
}

/// Which tool the model may or must call.
enum ToolChoice: Sendable, Equatable {
    case none, auto, required
    /// This function.
    case function(String)
    /// This custom tool.
    case custom(String)
    /// One of these.
    case allowed(AllowedTools)
}

/// A choice among some of the tools.
struct AllowedTools: Sendable, Equatable {
    /// Whether one of them must be called.
    var isRequired: Bool
    /// At least one.
    var tools: [ToolName]
}

/// One complete call in the history of a conversation.
struct ToolCall: Sendable, Equatable {
    var id: String
    var name: String
    /// A JSON text, as the model wrote it; of a custom tool any text.
    var arguments: String
    /// Whether the arguments are a JSON object: a model may have got them wrong.
    var hasObject = true
    /// Whether it called a custom tool.
    var isCustom = false
}

extension ChatCompletionRequest {
    /// Where the first custom tool is of those that a backend would be told of, or the first call of
    /// one; nil where there is none.
    func firstCustomTool(among told: [FunctionTool]) -> String? {
        for (position, tool) in tools.functions.enumerated()
        where tool.input != nil && told.contains(tool) {
            return "tools[\(position)].type"
        }
        for (position, message) in messages.enumerated() {
            guard let call = message.toolCalls.firstIndex(where: \.isCustom) else { continue }
            return "messages[\(position)].tool_calls[\(call)].type"
        }
        return nil
    }
}
