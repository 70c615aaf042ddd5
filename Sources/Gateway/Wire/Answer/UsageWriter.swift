import Domain
import JSON

/// Writes the `usage` object.
enum UsageWriter {
    /// Writes what was used, in OpenAI's shape.
    static func write(_ usage: TokenUsage, _ writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("prompt_tokens")
        writer.integer(usage.prompt)
        writer.key("completion_tokens")
        writer.integer(usage.completion)
        writer.key("total_tokens")
        writer.integer(usage.total)
        writer.key("prompt_tokens_details")
        writer.beginObject()
        writer.key("cached_tokens")
        writer.integer(usage.cached)
        writer.endObject()
        writer.key("completion_tokens_details")
        writer.beginObject()
        writer.key("reasoning_tokens")
        writer.integer(usage.reasoning)
        writer.endObject()
        writer.endObject()
    }
}
