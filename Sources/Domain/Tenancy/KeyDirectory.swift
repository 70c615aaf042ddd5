/// Proves who holds an API key.
public protocol KeyDirectory: Sendable {
    /// Checks a presented key. `source` names where the request came from (an address without port)
    /// and is used only to bound how many unknown keys one source may try.
    ///
    /// Unknown, wrong, revoked and expired keys are one answer, given in similar time. Throws when
    /// the directory cannot be read and the key is not in memory.
    func authenticate(
        _ secret: borrowing APIKeySecret, from source: String
    ) async throws(KeyDirectoryFault) -> Authentication

    /// What the ledger is to know of a client's name for its own user. No wait; the name itself is
    /// kept nowhere.
    func userHash(of user: String, in organization: OrganizationID) -> UserHash
}

/// What the directory says of a presented key.
public enum Authentication: Sendable {
    /// The key is valid now.
    case principal(Principal)
    /// The key is not valid, for whatever reason.
    case refused
    /// The key is the right one, and it, its team or its organization is suspended.
    case suspended(Subject.Kind)
    /// Too many unknown keys came from this source, or from all: try again after `retryAfter`.
    case throttled(retryAfter: Duration)
}

/// The directory could not answer.
public enum KeyDirectoryFault: Error, Sendable, Equatable {
    /// The ledger's database cannot be reached and the key is not known in memory.
    case unavailable
}
