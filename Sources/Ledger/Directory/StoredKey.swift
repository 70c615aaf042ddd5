import Domain

/// A key as the gateway holds it in memory: enough to prove who calls without asking the database.
/// A class, so that finding it copies one reference. Holds the digest, never the key.
final class StoredKey: Sendable {
    let principal: Principal
    let digest: [UInt8]
    let pepperID: Int16
    let notBefore: Timestamp
    let notAfter: Timestamp?
    let isRevoked: Bool

    init(
        principal: Principal, digest: [UInt8], pepperID: Int16, notBefore: Timestamp,
        notAfter: Timestamp?, isRevoked: Bool
    ) {
        self.principal = principal
        self.digest = digest
        self.pepperID = pepperID
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.isRevoked = isRevoked
    }

    /// Whether the key may be used at `now`, by the ledger's clock. The ends are those of the
    /// ledger's own check.
    func isValid(at now: Timestamp) -> Bool {
        !isRevoked && notBefore <= now && (notAfter.map { now < $0 } ?? true)
    }

    /// Whether another record says the same.
    func says(_ other: StoredKey) -> Bool {
        principal == other.principal && digest == other.digest && pepperID == other.pepperID
            && notBefore == other.notBefore && notAfter == other.notAfter
            && isRevoked == other.isRevoked
    }
}
