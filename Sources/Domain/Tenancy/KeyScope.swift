/// What a key may be confined to call.
public enum KeyScope: String, Sendable, CaseIterable {
    /// Completions of chats.
    case chat
    /// The list of models, and each of them.
    case models
    /// What the key itself has used and has left.
    case usage
}
