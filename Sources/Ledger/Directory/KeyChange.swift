public import Domain

/// A change of a key that this gateway has in memory.
public struct KeyChange: Sendable, Hashable {
    /// The key.
    public let key: KeyID
    /// Why it may not be used any more: what runs under it is to be cut. Nil when its terms
    /// changed, or when it may be used again.
    public let end: KeyEnd?
}
