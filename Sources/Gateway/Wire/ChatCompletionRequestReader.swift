import JSON

/// Turns a parsed body into a ``ChatCompletionRequest``, or says what is wrong with it and where.
///
/// The range sheet of the contract is enforced here in full: backends clamp silently or do not
/// check at all. Null is the same as absent; a name that the contract does not know is ignored.
enum ChatCompletionRequestReader {
    /// The longest model name that is looked up, in bytes.
    static let longestModelName = 256

    /// Reads a request of the members of `body`.
    ///
    /// - Parameter mostStops: the most stop sequences a request may name.
    static func read(
        _ body: JSONValue, mostStops: Int
    ) throws(RequestFault) -> ChatCompletionRequest {
        guard body.kind == .object else {
            throw RequestFault(
                "The body must be a JSON object.", parameter: nil, code: .invalidType)
        }
        var reader = Reader(mostStops: mostStops)
        for member in body.members where !member.value.isNull {
            if try reader.takeMain(member.key, member.value) { continue }
            if try reader.takeSampling(member.key, member.value) { continue }
            if let offence = NeutralParameters.offence(of: member.key, member.value) {
                throw .unsupported(offence)
            }
        }
        return try reader.finish()
    }

    private struct Reader {
        let mostStops: Int
        var request = ChatCompletionRequest(model: "", messages: [])
        var maxTokens: Int64?
        var maxCompletionTokens: Int64?
        var hasStreamOptions = false

        /// Takes what is not about sampling; false for another name.
        mutating func takeMain(_ name: String, _ value: JSONValue) throws(RequestFault) -> Bool {
            switch name {
            case "model": request.model = try model(value)
            case "messages": request.messages = try ChatMessageReader.messages(value)
            case "stream": request.streams = try ParameterReading.bool(value, name)
            case "stream_options": try takeStreamOptions(value)
            case "max_tokens":
                maxTokens = try ParameterReading.integer(
                    value, name, in: 1...ParameterReading.largestCount)
            case "max_completion_tokens":
                maxCompletionTokens = try ParameterReading.integer(
                    value, name, in: 1...ParameterReading.largestCount)
            case "stop":
                request.stop = try ParameterReading.stops(value, name, atMost: mostStops)
            case "user": request.user = try ParameterReading.string(value, name)
            default: return false
            }
            return true
        }

        /// Takes what is about sampling; false for another name.
        mutating func takeSampling(_ name: String, _ value: JSONValue) throws(RequestFault) -> Bool
        {
            switch name {
            case "temperature":
                request.temperature = try ParameterReading.decimal(value, name, in: 0...2)
            case "top_p": request.topP = try ParameterReading.decimal(value, name, in: 0...1)
            case "top_k": request.topK = try ParameterReading.integer(value, name, in: 1...128)
            case "min_p": request.minP = try ParameterReading.decimal(value, name, in: 0...1)
            case "repetition_penalty":
                request.repetitionPenalty = try repetitionPenalty(value, name)
            case "frequency_penalty":
                request.frequencyPenalty = try ParameterReading.decimal(value, name, in: -2...2)
            case "presence_penalty":
                request.presencePenalty = try ParameterReading.decimal(value, name, in: -2...2)
            case "seed":
                request.seed = try ParameterReading.integer(value, name, in: .min ... .max)
            case "n":
                // More than one is refused by name, as not supported yet; what no contract allows,
                // by range.
                _ = try ParameterReading.integer(value, name, in: 1...128)
                return false
            default: return false
            }
            return true
        }

        /// Checks what holds between parameters.
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
            request.maximumCompletionTokens = maxCompletionTokens ?? maxTokens
            return request
        }

        private func model(_ value: JSONValue) throws(RequestFault) -> String {
            let name = try ParameterReading.string(value, "model")
            guard !name.isEmpty else { throw .value("model", expected: "the name of a model") }
            guard name.utf8.count <= longestModelName else {
                throw RequestFault(
                    "Invalid 'model': must be at most \(longestModelName) bytes long.",
                    parameter: "model", code: .stringAboveMaxLength)
            }
            return name
        }

        private func repetitionPenalty(
            _ value: JSONValue, _ name: String
        ) throws(RequestFault) -> Double {
            let penalty = try ParameterReading.decimal(value, name, in: 0...2)
            guard penalty > 0 else {
                throw RequestFault(
                    "Invalid '\(name)': must be above 0.", parameter: name,
                    code: .decimalBelowMinValue)
            }
            return penalty
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
                let asked = try ParameterReading.bool(padding, "stream_options.include_obfuscation")
                if asked { throw .unsupported("stream_options.include_obfuscation") }
            }
        }
    }
}
