/// The ceiling of a prompt's tokens, from its bytes alone.
///
/// Byte-level tokenizers make at most one token of one byte of the rendered prompt (`ledger.md`
/// §3.3). The rendered prompt is every text, role and name, and what the chat template puts around
/// them, which constants cover.
enum PromptBound {
    /// What a template adds once.
    static let baseTokens: Int64 = 64
    /// What a template adds to each message.
    static let tokensPerMessage: Int64 = 16

    /// The bytes of every text, role and name.
    static func bytes(_ messages: [ChatMessage]) -> Int64 {
        var bytes = 0
        for message in messages {
            bytes += message.role.rawValue.utf8.count + (message.name?.utf8.count ?? 0)
            switch message.content {
            case .text(let text): bytes += text.utf8.count
            case .parts(let parts): for part in parts { bytes += part.utf8.count }
            }
        }
        return Int64(bytes)
    }

    /// The most tokens that `messages` can be, where their ``bytes(_:)`` are known.
    static func tokens(bytes: Int64, messages: Int) -> Int64 {
        bytes + Int64(messages) * tokensPerMessage + baseTokens
    }

    /// The most tokens the completion may have: the smallest of what the client asks for (or
    /// `fallback`, when it names nothing), what the model may say, and the model's whole context.
    /// At least one.
    static func completion(
        asked: Int64?, fallback: Int64, maximum: Int64, contextTokens: Int64
    ) -> Int64 {
        max(1, min(asked ?? fallback, maximum, contextTokens))
    }
}
