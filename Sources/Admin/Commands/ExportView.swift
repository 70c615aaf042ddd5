import Domain
import Ledger

/// Exported records as programs read them.
enum ExportView {
    /// The fields of a record.
    static let names = [
        "request_id", "admitted_at", "settled_at", "team", "key", "key_name", "model", "backend",
        "prompt_tokens", "cached_tokens", "cache_write_tokens", "completion_tokens",
        "reasoning_tokens", "total_tokens", "charged_tokens", "overage_tokens", "cost_usd",
        "cost_nanousd", "price_version", "basis", "end_state", "first_token_us", "duration_us",
        "user_hash",
    ]

    /// A record, with instants to the second in UTC.
    static func record(_ record: ExportRecord) -> Record {
        let usage = record.usage
        return Record(
            names,
            [
                .text("req_\(record.requestID)"), .text(TimeText.iso(record.admittedAt)),
                .text(TimeText.iso(record.settledAt)), .text(record.team),
                .text(record.key.description), .text(record.keyName), .text(record.model),
                .text(record.backend), .integer(usage.prompt), .integer(usage.cached),
                .integer(usage.cacheWrite), .integer(usage.completion), .integer(usage.reasoning),
                .integer(Int128(usage.prompt) + Int128(usage.completion)),
                .integer(record.charged), .integer(record.overage),
                .text(NumberText.dollars(nanoUSD: Int128(record.cost.rawValue))),
                .integer(record.cost.rawValue), .optional(record.priceVersion),
                .text(ExplainView.name(record.basis)), .text(record.endState.name),
                .optional(record.timeToFirstToken?.microseconds),
                .integer(record.duration.microseconds),
                .optional(record.user?.description),
            ])
    }
}
