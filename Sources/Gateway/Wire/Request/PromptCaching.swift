/// What a client says about the cache that its prompt may be read from and written to
/// (`prompt_cache_options` and `prompt_cache_retention`).
struct PromptCaching: Sendable, Equatable {
    /// Where the prompt is marked as worth keeping.
    enum Mode: String, Sendable, CaseIterable {
        /// Where the backend thinks best.
        case implicit
        /// Nowhere but where a message says so; no message here does, so nothing is kept.
        case explicit
    }

    /// How long it is kept at least.
    enum Lifetime: String, Sendable, CaseIterable {
        case halfHour = "30m"
    }

    /// Where it is kept, which earlier models are told instead.
    enum Retention: String, Sendable, CaseIterable {
        case inMemory = "in_memory"
        /// The same, as OpenAI's older clients write it.
        case inMemoryHyphened = "in-memory"
        case day = "24h"
    }

    var mode: Mode?
    var lifetime: Lifetime?
    var retention: Retention?

    /// Whether anything is said of the options.
    var hasOptions: Bool { mode != nil || lifetime != nil }

    /// The name of what asks for a longer life than a cache usually has; nil where nothing does.
    var longLife: String? {
        if lifetime != nil { return "prompt_cache_options.ttl" }
        return retention == .day ? "prompt_cache_retention" : nil
    }
}
