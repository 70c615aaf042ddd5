import JSON

/// The parameters that steer how tokens are drawn, and what is told about the draw.
extension RequestDraft {
    /// The most entries of `logit_bias`.
    static let mostBiases = 300

    /// Takes what is about sampling; false for another name.
    mutating func takeSampling(_ name: String, _ value: JSONValue) throws(RequestFault) -> Bool {
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
        case "do_sample": isGreedy = try !ParameterReading.bool(value, name)
        case "logit_bias": request.logitBias = try biases(value, name)
        case "logprobs": request.tellsLogprobs = try ParameterReading.bool(value, name)
        case "top_logprobs":
            request.topLogprobs = Int(try ParameterReading.integer(value, name, in: 0...20))
        case "n":
            request.choices = Int(
                try ParameterReading.integer(value, name, in: 1...Int64(mostChoices)))
        default: return false
        }
        return true
    }

    /// Checks what holds between the sampling parameters.
    mutating func finishSampling() throws(RequestFault) {
        if request.topLogprobs != nil && !request.tellsLogprobs {
            throw RequestFault(
                "'top_logprobs' is only allowed when 'logprobs' is true.",
                parameter: "top_logprobs", code: .invalidValue)
        }
        if isGreedy { request.temperature = 0 }
    }

    private func repetitionPenalty(
        _ value: JSONValue, _ name: String
    ) throws(RequestFault) -> Double {
        let penalty = try ParameterReading.decimal(value, name, in: 0...2)
        guard penalty > 0 else {
            throw RequestFault(
                "Invalid '\(name)': must be above 0.", parameter: name, code: .decimalBelowMinValue)
        }
        return penalty
    }

    /// The pairs of a `logit_bias`, by token. A key of other than digits would be text to
    /// llama-server and an error to OpenAI, so it is refused.
    private func biases(_ value: JSONValue, _ name: String) throws(RequestFault) -> [LogitBias] {
        guard value.kind == .object else { throw .type(name, expected: "an object") }
        guard value.count <= Self.mostBiases else {
            throw RequestFault(
                "Invalid '\(name)': expected at most \(Self.mostBiases) entries.", parameter: name,
                code: .objectAboveMaxLength)
        }
        var biases: [LogitBias] = []
        for member in value.members {
            let key = member.key
            guard (1...10).contains(key.utf8.count),
                key.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                let token = Int64(key), token <= ParameterReading.largestCount
            else { throw .value(name, expected: "the numbers of tokens as keys") }
            // The key is digits, so it can be told without quoting what a client invents.
            let bias = try ParameterReading.decimal(member.value, "\(name).\(key)", in: -100...100)
            biases.append(LogitBias(token: token, bias: bias))
        }
        return biases
    }
}
