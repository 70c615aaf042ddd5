public import Domain
import Postgres

/// A key of the admin HTTP API as the ledger holds it: everything but its secret, which is stored
/// nowhere.
public struct AdminKeyRecord: Sendable, Hashable {
    /// The part that is safe to show.
    public let id: KeyID
    /// What it is called.
    public let name: String
    /// What its holder may do.
    public let role: AdminRole
    /// The one organization that it may see; nil for all.
    public let organization: OrganizationID?
    /// The last four characters of the key, to recognise it by.
    public let last4: String
    /// When it was made.
    public let createdAt: Timestamp
    /// When it stops being valid; nil for never.
    public let expiresAt: Timestamp?
    /// When it was revoked; nil while it is not.
    public let revokedAt: Timestamp?
    /// When it was last presented and found good, to the minute; nil for never.
    public let lastUsedAt: Timestamp?
    /// The pepper that its digest is made under.
    public let pepperID: Int16
    /// Whether it has expired, by the ledger's clock.
    public let isExpired: Bool
    /// The digest of the whole key.
    let digest: [UInt8]

    /// Whether it may be used.
    public var isUsable: Bool { revokedAt == nil && !isExpired }

    /// The columns of a key, for `init(_:)`.
    static let columns = """
        k.admin_key_id, k.name, k.role, k.organization_id, k.mac, k.pepper_id, k.last4, \
        k.created_at, k.expires_at, k.revoked_at, k.last_used_at, \
        k.expires_at IS NOT NULL AND k.expires_at <= now()
        """

    /// Reads a row of ``columns``.
    init(_ row: PostgresRow) throws(PostgresError) {
        id = KeyID(rawValue: UInt64(bitPattern: try row.int8(0)))
        name = try row.text(1)
        // The table's own check allows no other number; the least of the roles does no harm.
        role = AdminRole(code: try row.int2(2)) ?? .auditor
        organization = try row.optionalInt8(3).map(OrganizationID.init(rawValue:))
        digest = try row.bytes(4)
        pepperID = try row.int2(5)
        last4 = try row.text(6)
        createdAt = Timestamp(microseconds: try row.timestamp(7))
        expiresAt = try row.optionalTimestamp(8).map(Timestamp.init(microseconds:))
        revokedAt = try row.optionalTimestamp(9).map(Timestamp.init(microseconds:))
        lastUsedAt = try row.optionalTimestamp(10).map(Timestamp.init(microseconds:))
        isExpired = try row.bool(11)
    }
}
