import Domain
import JSON

/// Adds up what an upstream says it counted. Its counts are of the whole so far, so the last word
/// on each holds. Pure.
struct MessagesUsage: Sendable, Equatable {
    /// Prompt tokens that have nothing to do with a cache.
    private var input: Int64?
    private var cacheWrite: Int64?
    private var cacheRead: Int64?
    private var output: Int64?
    private var thinking: Int64?
    /// Whether a count was no count: then none of them is believed.
    private var isBroken = false

    /// Takes the `usage` of a message or an event.
    ///
    /// - Parameter isFinal: whether it counts what was generated; at the beginning of a stream that
    ///   number means nothing.
    mutating func take(_ usage: JSONValue?, isFinal: Bool) {
        guard let usage, !usage.isNull else { return }
        take(usage["input_tokens"], into: \.input)
        take(usage["cache_creation_input_tokens"], into: \.cacheWrite)
        take(usage["cache_read_input_tokens"], into: \.cacheRead)
        guard isFinal else { return }
        take(usage["output_tokens"], into: \.output)
        take(usage["output_tokens_details"]?["thinking_tokens"], into: \.thinking)
    }

    /// The count of prompt and answer, once both were told; nil where they were not, or where one of
    /// them is negative or no whole number: then the gateway counts.
    var total: TokenUsage? {
        guard let output, let prompt = prompt else { return nil }
        return TokenUsage(
            prompt: prompt.prompt, cached: prompt.cached, cacheWrite: prompt.cacheWrite,
            completion: output, reasoning: thinking ?? 0)
    }

    /// The count of the prompt alone. The parts that were read from a cache or written to one are
    /// not in `input_tokens`; to OpenAI's clients the prompt is all of it.
    var prompt: TokenUsage? {
        guard !isBroken, let input else { return nil }
        let parts = [input, cacheWrite ?? 0, cacheRead ?? 0]
        // Each far below where their sum overflows.
        let prompt = parts.reduce(0) { $0 + min($1, 1 << 48) }
        return TokenUsage(
            prompt: prompt, cached: cacheRead ?? 0, cacheWrite: cacheWrite ?? 0, completion: 0)
    }

    private mutating func take(_ value: JSONValue?, into count: WritableKeyPath<Self, Int64?>) {
        guard let value, !value.isNull else { return }
        guard let number = value.exactInteger, number >= 0 else {
            isBroken = true
            return
        }
        // A sum does not shrink.
        self[keyPath: count] = max(self[keyPath: count] ?? 0, number)
    }
}
