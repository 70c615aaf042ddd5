/// Why a key that was good may not be used any more.
public enum KeyEnd: Sendable, Hashable {
    /// It was revoked or deleted, for good.
    case revoked
    /// It, its team or its organization was suspended, until somebody resumes it.
    case suspended(Subject.Kind)
}
