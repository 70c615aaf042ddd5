/// The functions a client offers to the model, and how it may call them.
struct ToolUse: Sendable, Equatable {
    /// At most 128.
    var functions: [FunctionTool] = []
    /// Which of them the model may or must call; nil where the client is silent, which means `auto`
    /// with functions.
    var choice: ToolChoice?
    /// Whether one turn may hold several calls; nil where the client is silent, which means yes.
    var allowsParallel: Bool?
    /// Whether they came as `functions`, OpenAI's older form: then the answer is in the older form
    /// too, which has room for one call.
    var isLegacy = false

    /// The functions that the model may call: none when the client forbids calls.
    var callable: [FunctionTool] { choice == ToolChoice.none ? [] : functions }

    /// Whether one turn may hold several calls.
    var isParallel: Bool { !isLegacy && allowsParallel ?? true }
}

/// One function that a model may call.
struct FunctionTool: Sendable, Equatable {
    /// `[A-Za-z0-9_-]{1,64}`.
    var name: String
    var description: String?
    /// The JSON Schema of its arguments.
    var parameters: JSONFragment?
    /// Whether the arguments must follow the schema exactly.
    var isStrict: Bool?
}

/// Which function the model may or must call.
enum ToolChoice: Sendable, Equatable {
    case none, auto, required
    /// This one.
    case function(String)
}

/// One complete call in the history of a conversation.
struct ToolCall: Sendable, Equatable {
    var id: String
    var name: String
    /// A JSON text, as the model wrote it.
    var arguments: String
    /// Whether the arguments are a JSON object: a model may have got them wrong.
    var hasObject = true
}
