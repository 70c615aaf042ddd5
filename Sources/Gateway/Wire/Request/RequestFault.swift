import JSON

/// What is wrong with a request, in words for its sender. Always a 400 of type
/// `invalid_request_error`.
struct RequestFault: Error, Sendable, Equatable {
    /// The contract's codes of a refused request (`error.code`).
    enum Code: String, Sendable, CaseIterable {
        case missingRequiredParameter = "missing_required_parameter"
        case unsupportedParameter = "unsupported_parameter"
        case invalidType = "invalid_type"
        case invalidValue = "invalid_value"
        case emptyArray = "empty_array"
        case arrayAboveMaxLength = "array_above_max_length"
        case objectAboveMaxLength = "object_above_max_length"
        case stringAboveMaxLength = "string_above_max_length"
        case decimalAboveMaxValue = "decimal_above_max_value"
        case decimalBelowMinValue = "decimal_below_min_value"
        case integerAboveMaxValue = "integer_above_max_value"
        case integerBelowMinValue = "integer_below_min_value"
        case personalDataDetected = "pii_detected"
        case promptInjectionDetected = "prompt_injection_detected"
        case toxicityCheckFailed = "toxicity_check_failed"
        case factualityCheckFailed = "factuality_check_failed"
        case duplicateHeader = "duplicate_header"
        case invalidIdempotencyKey = "invalid_idempotency_key"
    }

    /// One or two sentences.
    let message: String
    /// Where in the body, such as `messages[2].role`; nil when the body as a whole is wrong.
    let parameter: String?
    /// Nil when the body is not JSON at all.
    let code: Code?

    /// Makes a fault of its parts.
    init(_ message: String, parameter: String?, code: Code?) {
        self.message = message
        self.parameter = parameter
        self.code = code
    }

    /// A required parameter is not there.
    static func missing(_ parameter: String) -> RequestFault {
        RequestFault(
            "Missing required parameter: '\(parameter)'.", parameter: parameter,
            code: .missingRequiredParameter)
    }

    /// A parameter has the wrong JSON type; `expected` reads like `a string`.
    static func type(_ parameter: String, expected: StaticString) -> RequestFault {
        RequestFault(
            "Invalid type for '\(parameter)': expected \(expected).", parameter: parameter,
            code: .invalidType)
    }

    /// A parameter has a value outside of its set; `expected` reads like `one of …`.
    static func value(_ parameter: String, expected: String) -> RequestFault {
        RequestFault(
            "Invalid value for '\(parameter)': expected \(expected).", parameter: parameter,
            code: .invalidValue)
    }

    /// A number is above what a model takes, though not above what every model might.
    static func above(_ parameter: String, _ most: Double, at whom: StaticString) -> RequestFault {
        let bound = Int64(exactly: most).map(String.init) ?? most.description
        return RequestFault(
            "Invalid '\(parameter)': must be at most \(bound) with \(whom).",
            parameter: parameter, code: .decimalAboveMaxValue)
    }

    /// A parameter's number is beyond what any number here can be.
    static func outOfRange(_ parameter: String, _ number: JSONNumberFault) -> RequestFault {
        let code: Code =
            switch (isDecimal(parameter) ?? !number.isWhole, number.isNegative) {
            case (false, false): .integerAboveMaxValue
            case (false, true): .integerBelowMinValue
            case (true, false): .decimalAboveMaxValue
            case (true, true): .decimalBelowMinValue
            }
        let side = number.isNegative ? "too far below 0" : "too far above 0"
        return RequestFault(
            "Invalid '\(parameter)': the number is \(side).",
            parameter: parameter, code: code)
    }

    /// Whether a parameter takes fractions; nil for what takes no number.
    private static func isDecimal(_ parameter: String) -> Bool? {
        switch RequestParameter.Sampling(rawValue: parameter) {
        case .temperature, .topP, .minP, .repetitionPenalty, .frequencyPenalty, .presencePenalty:
            true
        case .topK, .seed, .topLogprobs, .n: false
        case .doSample, .logitBias, .logprobs, nil:
            switch RequestParameter.Main(rawValue: parameter) {
            case .maxTokens, .maxCompletionTokens: false
            case .model, .messages, .stream, .streamOptions, .stop, nil: nil
            }
        }
    }

    /// Two parameters say the same thing differently.
    static func contradiction(_ parameter: String, _ other: String) -> RequestFault {
        RequestFault(
            "'\(parameter)' and '\(other)' contradict each other.", parameter: parameter,
            code: .invalidValue)
    }

    /// A parameter that the contract knows and this gateway, or the model's backend, cannot honour.
    static func unsupported(_ parameter: String) -> RequestFault {
        RequestFault(
            "Unsupported parameter: '\(parameter)' is not supported with this model.",
            parameter: parameter, code: .unsupportedParameter)
    }
}
