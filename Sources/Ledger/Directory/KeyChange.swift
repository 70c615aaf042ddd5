public import Domain

/// A change of a key that this gateway has in memory.
public struct KeyChange: Sendable, Hashable {
    /// The key.
    public let key: KeyID
    /// Whether it may not be used any more, for good: running streams are to be cut. Otherwise its
    /// terms changed.
    public let isRevoked: Bool
}
