import JSON

/// A request while its members are read, in whatever order they stand. Each group of parameters
/// takes its own in a file of its own; what holds between members is checked at the end.
struct RequestDraft {
    let mostStops: Int
    let mostChoices: Int
    var request = ChatCompletionRequest(model: "", messages: [])
    var maxTokens: Int64?
    var maxCompletionTokens: Int64?
    var hasStreamOptions = false
    /// `do_sample: false`: greedy whatever the temperature.
    var isGreedy = false
    /// `functions` and `function_call`.
    var legacyFunctions: [FunctionTool] = []
    var legacyChoice: ToolChoice?
    /// What the answer is made of.
    var modalities: Set<Modality> = [.text]
    /// What `chat_template_kwargs` says of reasoning.
    var templateThinking: Bool?
    var templateEffort: ReasoningOptions.Effort?

    /// An empty draft.
    init(mostStops: Int, mostChoices: Int) {
        self.mostStops = mostStops
        self.mostChoices = mostChoices
    }

    /// Takes what belongs to no other group.
    mutating func take(
        _ parameter: RequestParameter.Main, _ value: JSONValue
    ) throws(RequestFault) {
        let name = parameter.rawValue
        switch parameter {
        case .model: request.model = try model(value)
        case .messages: request.messages = try ChatMessageReader.messages(value)
        case .stream: request.streams = try ParameterReading.bool(value, name)
        case .streamOptions: try takeStreamOptions(value)
        case .maxTokens:
            maxTokens = try ParameterReading.integer(
                value, name, in: ParameterLimits.completionTokens)
        case .maxCompletionTokens:
            maxCompletionTokens = try ParameterReading.integer(
                value, name, in: ParameterLimits.completionTokens)
        case .stop:
            request.stop = try ParameterReading.stops(value, name, atMost: mostStops)
        }
    }

    /// Checks what holds between parameters and hands out the request.
    consuming func finish() throws(RequestFault) -> ChatCompletionRequest {
        if request.model.isEmpty { throw .missing("model") }
        if request.messages.isEmpty { throw .missing("messages") }
        if let maxTokens, let maxCompletionTokens, maxTokens != maxCompletionTokens {
            throw RequestFault(
                "'max_tokens' and 'max_completion_tokens' are both given and differ; give one.",
                parameter: "max_tokens", code: .invalidValue)
        }
        if hasStreamOptions && !request.streams {
            throw RequestFault(
                "'stream_options' is only allowed when 'stream' is true.",
                parameter: "stream_options", code: .invalidValue)
        }
        if request.streams, let check = request.outputChecks.first {
            throw RequestFault(
                "'\(check.parameter)' looks at a whole answer, so 'stream' must be false.",
                parameter: "output", code: .invalidValue)
        }
        request.maximumCompletionTokens = maxCompletionTokens ?? maxTokens
        try finishSampling()
        try finishTools()
        try finishReasoning()
        try finishAdditions()
        return request
    }

    private func model(_ value: JSONValue) throws(RequestFault) -> String {
        let name = try ParameterReading.string(value, "model")
        guard !name.isEmpty else { throw .value("model", expected: "the name of a model") }
        let longest = ParameterLimits.longestModelName
        guard name.utf8.count <= longest else {
            throw RequestFault(
                "Invalid 'model': must be at most \(longest) bytes long.",
                parameter: "model", code: .stringAboveMaxLength)
        }
        return name
    }

    private mutating func takeStreamOptions(_ value: JSONValue) throws(RequestFault) {
        guard value.kind == .object else {
            throw .type("stream_options", expected: "an object")
        }
        hasStreamOptions = true
        if let usage = value["include_usage"], !usage.isNull {
            request.includesUsage = try ParameterReading.bool(
                usage, "stream_options.include_usage")
        }
        if let padding = value["include_obfuscation"], !padding.isNull {
            request.hidesLengths = try ParameterReading.bool(
                padding, "stream_options.include_obfuscation")
        }
    }
}
