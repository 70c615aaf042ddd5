import JSON

/// The parameters that steer how tokens are drawn, and what is told about the draw.
extension RequestDraft {
    /// Takes what is about sampling.
    mutating func take(
        _ parameter: RequestParameter.Sampling, _ value: JSONValue
    ) throws(RequestFault) {
        let name = parameter.rawValue
        switch parameter {
        case .temperature:
            request.temperature = try ParameterReading.decimal(
                value, name, in: ParameterLimits.temperature)
        case .topP:
            request.topP = try ParameterReading.decimal(
                value, name, in: ParameterLimits.probability)
        case .topK:
            request.topK = try ParameterReading.integer(value, name, in: ParameterLimits.topK)
        case .minP:
            request.minP = try ParameterReading.decimal(
                value, name, in: ParameterLimits.probability)
        case .repetitionPenalty:
            request.repetitionPenalty = try repetitionPenalty(value, name)
        case .frequencyPenalty:
            request.frequencyPenalty = try ParameterReading.decimal(
                value, name, in: ParameterLimits.penalty)
        case .presencePenalty:
            request.presencePenalty = try ParameterReading.decimal(
                value, name, in: ParameterLimits.penalty)
        case .seed:
            request.seed = try ParameterReading.integer(value, name, in: ParameterLimits.seed)
        case .doSample: isGreedy = try !ParameterReading.bool(value, name)
        case .logitBias: request.logitBias = try biases(value, name)
        case .logprobs: request.tellsLogprobs = try ParameterReading.bool(value, name)
        case .topLogprobs:
            request.topLogprobs = Int(
                try ParameterReading.integer(value, name, in: ParameterLimits.topLogprobs))
        case .n:
            request.choices = Int(
                try ParameterReading.integer(value, name, in: 1...Int64(mostChoices)))
        }
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
        let penalty = try ParameterReading.decimal(
            value, name, in: ParameterLimits.repetitionPenalty)
        guard penalty > ParameterLimits.repetitionPenalty.lowerBound else {
            throw RequestFault(
                "Invalid '\(name)': must be above 0.", parameter: name, code: .decimalBelowMinValue)
        }
        return penalty
    }

    /// The pairs of a `logit_bias`, by token. A key of other than digits would be text to
    /// llama-server and an error to OpenAI, so it is refused.
    private func biases(_ value: JSONValue, _ name: String) throws(RequestFault) -> [LogitBias] {
        guard value.kind == .object else { throw .type(name, expected: "an object") }
        guard value.count <= ParameterLimits.mostBiases else {
            throw RequestFault(
                "Invalid '\(name)': expected at most \(ParameterLimits.mostBiases) entries.",
                parameter: name,
                code: .objectAboveMaxLength)
        }
        var biases: [LogitBias] = []
        for member in value.members {
            let key = member.key
            guard (1...10).contains(key.utf8.count),
                key.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                let token = Int64(key), token <= ParameterReading.largestCount,
                key.utf8.count == 1 || key.utf8.first != UInt8(ascii: "0")
            else { throw .value(name, expected: "the numbers of tokens as keys") }
            // The key is digits, so it can be told without quoting what a client invents.
            let bias = try ParameterReading.decimal(
                member.value, "\(name).\(key)", in: ParameterLimits.bias)
            biases.append(LogitBias(token: token, bias: bias))
        }
        return biases
    }
}
