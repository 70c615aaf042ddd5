public import Domain
import OpenSSL

/// Makes of clients' names for their own users what the ledger stores of them.
///
/// Such a name is often an e-mail address, and a plain hash of one is found by trying a list of
/// addresses. So it is keyed, by a secret that the database does not have: a key of its own, derived
/// from the pepper, so that no hash of a name ever says anything of a digest of an API key. And
/// the organization is part of what is hashed: nobody learns that two tenants have the same user.
///
/// With another pepper the same name has another hash: records on either side of a change of the
/// pepper cannot be told to be of one user.
public struct UserHasher: Sendable {
    private let mac: HMACSHA256

    /// Derives the key from `pepper`; once for a process.
    public init(_ pepper: Pepper) { mac = pepper.derived(for: "turnpike user hash 1") }

    /// The first 128 bits of HMAC-SHA-256 of the organization's number and the name.
    public func hash(_ user: String, of organization: OrganizationID) -> UserHash {
        var message: [UInt8] = []
        message.reserveCapacity(8 + user.utf8.count)
        // Eight bytes before all names: no number and name can read as another pair.
        for shift in stride(from: 56, through: 0, by: -8) {
            message.append(UInt8(truncatingIfNeeded: organization.rawValue >> Int64(shift)))
        }
        message.append(contentsOf: user.utf8)
        let tag = mac.authenticate(message)
        return UserHash(rawValue: tag.prefix(16).reduce(0) { $0 << 8 | UInt128($1) })
    }
}
