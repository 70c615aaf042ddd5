import Domain

/// What is wrong with a row of an export.
struct ExportFault: Error, Equatable {
    /// One sentence without a full stop.
    let message: String
}

/// The exports that can be compared, and what their fields mean.
///
/// The same names stand in a CSV's header and in the JSON of the provider's administration API,
/// whose buckets give their times to the results in them; nested names are joined with a point.
enum ExportFormat: String {
    /// The completions export of OpenAI's usage page (`completions_usage_….csv`) and
    /// `GET /v1/organization/usage/completions`: `start_time` and `end_time` in Unix seconds, or
    /// `start_time_iso` and `end_time_iso`; `num_model_requests`; `model`, null unless grouped by it;
    /// `input_tokens`, which include `input_cached_tokens` and `input_cache_write_tokens`;
    /// `output_tokens`. Source: OpenAI's API reference, "Completions usage object"
    /// (organization.usage.completions.result), and the header of exported files.
    case openAIUsage = "OpenAI's usage"
    /// The cost export of OpenAI's usage page and `GET /v1/organization/costs`: the same times;
    /// `amount_value` and `amount_currency`, in JSON `amount.value` and `amount.currency`, in
    /// dollars. A `line_item` is no model's name, so costs are compared over all models. Source:
    /// OpenAI's API reference, "Costs object" (organization.costs.result).
    case openAICosts = "OpenAI's costs"
    /// The usage export of Anthropic's console and `GET /v1/organizations/usage_report/messages`.
    /// CSV: `usage_date_utc`, `model_version`, `usage_input_tokens_no_cache`,
    /// `usage_input_tokens_cache_write_5m`, `…_1h`, `usage_input_tokens_cache_read`,
    /// `usage_output_tokens`. JSON: `starting_at` and `ending_at` (RFC 3339), `model`,
    /// `uncached_input_tokens`, `cache_creation.ephemeral_5m_input_tokens`, `…_1h_…`,
    /// `cache_read_input_tokens`, `output_tokens`. Source: Anthropic's API reference, "Get Messages
    /// Usage Report", and the header of exported files.
    case anthropicUsage = "Anthropic's usage"
    /// The cost export of Anthropic's console (`usage_date_utc`, `model` by its display name,
    /// `token_type`, `cost_usd`) and `GET /v1/organizations/cost_report`, whose `amount` is in
    /// cents as a decimal text. Source: Anthropic's API reference, "Get Cost Report".
    case anthropicCosts = "Anthropic's costs"

    /// The kind of backend that the provider is, in the configuration's word.
    var backendKind: String {
        switch self {
        case .openAIUsage, .openAICosts: "openai"
        case .anthropicUsage, .anthropicCosts: "anthropic"
        }
    }

    /// The format whose fields these are; nil for none of them.
    static func of(_ names: Set<String>) -> ExportFormat? {
        if names.contains("usage_output_tokens") || names.contains("uncached_input_tokens") {
            return .anthropicUsage
        }
        if names.contains("cost_usd") { return .anthropicCosts }
        if names.contains("amount_value") || names.contains("amount.value") { return .openAICosts }
        if names.contains("amount") { return .anthropicCosts }
        if names.contains("input_tokens") { return .openAIUsage }
        // What OpenAI's page exports for a time without any use.
        if names == ["start_time", "end_time", "start_time_iso", "end_time_iso"] {
            return .openAIUsage
        }
        return nil
    }

    /// The model that a row names; nil where the export does not tell models apart.
    func model(_ value: (String) -> String?) -> String? {
        let name: String? =
            switch self {
            case .openAIUsage: value("model")
            case .openAICosts: nil
            case .anthropicUsage: value("model_version") ?? value("model")
            case .anthropicCosts: value("model")
            }
        return name.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// What a row counts. A row in which nothing is filled in counts nothing: OpenAI writes one for
    /// each time without use.
    func amounts(_ value: (String) -> String?) throws(ExportFault) -> UsageAmounts {
        func count(_ name: String) throws(ExportFault) -> Int128? {
            guard let text = value(name), !text.isEmpty else { return nil }
            guard let number = DecimalText.count(text) else {
                throw ExportFault(
                    message: "\(name) is \(QuotedText.quoted(text)), not a whole number")
            }
            return number
        }
        func sum(_ names: [String]) throws(ExportFault) -> Int128? {
            var sum: Int128?
            for name in names { if let number = try count(name) { sum = (sum ?? 0) + number } }
            return sum
        }
        var amounts = UsageAmounts()
        switch self {
        case .openAIUsage:
            amounts[.requests] = try count("num_model_requests")
            amounts[.prompt] = try count("input_tokens")
            amounts[.cached] = try count("input_cached_tokens")
            amounts[.cacheWrite] = try count("input_cache_write_tokens")
            amounts[.completion] = try count("output_tokens")
        case .anthropicUsage:
            let fresh = try sum(["usage_input_tokens_no_cache", "uncached_input_tokens"])
            amounts[.cached] = try sum([
                "usage_input_tokens_cache_read", "cache_read_input_tokens",
            ])
            amounts[.cacheWrite] = try sum([
                "usage_input_tokens_cache_write_5m", "usage_input_tokens_cache_write_1h",
                "usage_input_tokens_cache_write", "cache_creation.ephemeral_5m_input_tokens",
                "cache_creation.ephemeral_1h_input_tokens",
            ])
            // Anthropic's three kinds of prompt tokens exclude each other.
            amounts[.prompt] = fresh.map {
                $0 + (amounts[.cached] ?? 0) + (amounts[.cacheWrite] ?? 0)
            }
            amounts[.completion] = try sum(["usage_output_tokens", "output_tokens"])
        case .openAICosts: amounts[.cost] = try Self.dollars(value)
        case .anthropicCosts: amounts[.cost] = try Self.dollarsOrCents(value)
        }
        return amounts
    }

    private static func dollars(_ value: (String) -> String?) throws(ExportFault) -> Int128? {
        guard let text = value("amount_value") ?? value("amount.value"), !text.isEmpty else {
            return nil
        }
        if let currency = value("amount_currency") ?? value("amount.currency"),
            !currency.isEmpty, currency.lowercased() != "usd"
        {
            throw ExportFault(message: "the amount is in \(QuotedText.quoted(currency)), not usd")
        }
        return try amount(text, decimals: UsageAmounts.costDecimals)
    }

    private static func dollarsOrCents(
        _ value: (String) -> String?
    ) throws(ExportFault) -> Int128? {
        if let currency = value("currency"), !currency.isEmpty, currency.lowercased() != "usd" {
            throw ExportFault(message: "the amount is in \(QuotedText.quoted(currency)), not USD")
        }
        if let text = value("cost_usd"), !text.isEmpty {
            return try amount(text, decimals: UsageAmounts.costDecimals)
        }
        guard let cents = value("amount"), !cents.isEmpty else { return nil }
        return try amount(cents, decimals: UsageAmounts.costDecimals - 2)
    }

    private static func amount(_ text: String, decimals: Int) throws(ExportFault) -> Int128 {
        guard let number = DecimalText.scaled(text, decimals: decimals) else {
            throw ExportFault(
                message: "the amount is \(QuotedText.quoted(text)), not a decimal number")
        }
        return number
    }
}
