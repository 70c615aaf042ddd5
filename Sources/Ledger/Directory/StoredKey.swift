import Domain
import Synchronization

/// A key as the gateway holds it in memory: enough to prove who calls without asking the database.
/// A class, so that finding it copies one reference. Holds the digest, never the key.
final class StoredKey: Sendable {
    let principal: Principal
    let digest: [UInt8]
    let pepperID: Int16
    let notBefore: Timestamp
    let notAfter: Timestamp?
    let isRevoked: Bool
    /// Who is suspended, if it is anybody: the key, or the team or organization that it belongs to.
    let suspended: Subject.Kind?
    /// When its use was last noted, in microseconds; zero for never.
    private let notedAt = Atomic<Int64>(0)

    init(
        principal: Principal, digest: [UInt8], pepperID: Int16, notBefore: Timestamp,
        notAfter: Timestamp?, isRevoked: Bool, suspended: Subject.Kind?
    ) {
        self.principal = principal
        self.digest = digest
        self.pepperID = pepperID
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.isRevoked = isRevoked
        self.suspended = suspended
    }

    /// Why the key may not be used any more, apart from its times; nil while it may.
    var end: KeyEnd? { isRevoked ? .revoked : suspended.map(KeyEnd.suspended) }

    /// Whether the key is valid at `now`, by the ledger's clock. The ends are those of the
    /// ledger's own check. One that is suspended is valid.
    func isValid(at now: Timestamp) -> Bool {
        !isRevoked && notBefore <= now && (notAfter.map { now < $0 } ?? true)
    }

    /// Whether a use at `now` is to be noted: the first, and then one in each `period`.
    func isNoted(at now: Timestamp, every period: Duration) -> Bool {
        let last = notedAt.load(ordering: .relaxed)
        if last != 0, Timestamp(microseconds: last) + period > now { return false }
        return notedAt.compareExchange(
            expected: last, desired: now.microseconds, ordering: .relaxed
        ).exchanged
    }

    /// Whether another record says the same.
    func says(_ other: StoredKey) -> Bool {
        principal == other.principal && digest == other.digest && pepperID == other.pepperID
            && notBefore == other.notBefore && notAfter == other.notAfter
            && isRevoked == other.isRevoked && suspended == other.suspended
    }
}
