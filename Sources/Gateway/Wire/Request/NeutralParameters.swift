import JSON

/// The parameters of the contract that are not supported yet.
///
/// Each is accepted with the value that changes nothing, since clients send defaults they never
/// chose, and refused by name with any other: nothing is dropped silently. Names outside of this
/// table and of ``ChatCompletionRequestReader`` are unknown and ignored, as the contract says.
enum NeutralParameters {
    /// The path of what a parameter asks for beyond its neutral value; nil when it asks for
    /// nothing.
    ///
    /// - Parameter name: a top-level member of the body; one that is not in the table asks for
    ///   nothing.
    static func offence(of name: String, _ value: JSONValue) -> String? {
        guard let rule = table[name], !value.isNull else { return nil }
        switch rule {
        case .refused: return name
        case .bool(let neutral): return value.bool == neutral ? nil : name
        case .integer(let neutral): return value.exactInteger == neutral ? nil : name
        case .words(let neutral):
            guard let word = value.string, neutral.contains(word) else { return name }
            return nil
        }
    }

    /// What of a parameter is taken.
    enum Rule: Sendable {
        case refused
        case bool(Bool)
        case integer(Int64)
        case words([String])
    }

    /// The rule of each name.
    static let table: [String: Rule] = {
        var table: [String: Rule] = [
            "best_of": .integer(1),
            "cache_prompt": .bool(true),
            "ignore_eos": .bool(false),
            "include_stop_str_in_output": .bool(false),
            "return_progress": .bool(false),
            "return_tokens": .bool(false),
            "timings_per_token": .bool(false),
            "verbose": .bool(false),
        ]
        for name in refused { table[name] = .refused }
        return table
    }()

    /// Without a neutral value. The last line are names other gateways let a client steer the
    /// upstream with.
    private static let refused = [
        "grammar", "json_schema",
        "reasoning_budget_tokens", "reasoning_control",
        "reasoning_format", "thinking",
        "dry_allowed_length", "dry_base", "dry_multiplier", "dry_penalty_last_n",
        "dry_sequence_breakers", "dynatemp_exponent", "dynatemp_range", "id_slot", "lora",
        "mirostat",
        "mirostat_eta", "mirostat_tau", "n_cmpl", "n_keep", "n_predict", "n_probs",
        "post_sampling_probs", "repeat_last_n", "repeat_penalty", "response_fields", "samplers",
        "sse_ping_interval", "t_max_predict_ms", "top_n_sigma", "typical_p", "xtc_probability",
        "xtc_threshold",
        "api_base", "base_url",
    ]
}
