public import Domain
import Postgres

/// An API key as the directory shows it: everything but the secret, which nobody can read again.
public struct KeyRecord: Sendable, Hashable {
    /// Whether a key may be used, by the database's clock when the record was read: those that are
    /// active or retiring may.
    public enum State: String, Sendable, CaseIterable {
        case active
        case pending
        case expired
        case revoked
        /// It, its team or its organization is suspended.
        case suspended
        /// Another secret of the same key has taken its place; it may be used until it expires.
        case retiring
    }

    /// The part of the key that is safe to show.
    public let id: KeyID
    /// The subject that owns the key's quotas: 63 random bits.
    public let subjectID: Int64
    /// The tenant.
    public let organization: Organization
    /// The team the key was issued to.
    public let teamID: TeamID
    /// That team's name.
    public let teamName: String
    /// What people call the key.
    public let name: String
    /// The key's first part.
    public let prefix: String
    /// The key's last four characters, to recognise it by.
    public let last4: String
    /// The model aliases it may use; nil for all.
    public let models: [String]?
    /// The bound on completion tokens where the client names none; nil for the gateway's.
    public let defaultCompletionTokens: Int64?
    /// Whether streams always end with usage.
    public let alwaysUsage: Bool
    /// Whether answers tell reasoning under its other name too.
    public let mirrorsReasoning: Bool
    /// When it was made.
    public let createdAt: Timestamp
    /// From when on it may be used.
    public let notBefore: Timestamp
    /// From when on it may not be used; nil for never.
    public let notAfter: Timestamp?
    /// When it was revoked, if it was.
    public let revokedAt: Timestamp?
    /// Why it was revoked, in the administrator's words. For administrators only.
    public let revokeReason: String?
    /// Who is suspended, if it is anybody: the key, or its team or organization.
    public let suspended: Subject.Kind?
    /// Why the key itself is suspended, in the administrator's words. For administrators only.
    public let suspendReason: String?
    /// The key that has taken its place, if one has.
    public let replacedBy: KeyID?
    /// What it may call, by name; nil for everything.
    public let endpoints: [String]?
    /// Its tags, each `name=value`.
    public let tags: [String]
    /// Whether a bound on completion tokens that does not fit is made smaller instead of refused.
    public let clamps: Bool
    /// The pepper that its digest is made under.
    public let pepperID: Int16
    /// When it was last presented and found good, give or take a minute or two; nil for never.
    public let lastUsedAt: Timestamp?
    /// Whether it may be used.
    public let state: State

    /// The subject of the key's own quotas.
    public var subject: Subject { Subject(kind: .key, id: subjectID) }

    /// The columns that ``init(_:)`` reads, of `k` api_key, `t` team and `o` organization,
    /// where `$1` is the shard.
    static let columns = """
        k.key_id, k.subject_id, k.organization_id, o.name, k.team_id, t.name, k.name, k.prefix,
        k.last4, k.models, k.default_completion_tokens, k.always_usage, k.created_at, k.not_before,
        k.not_after, k.revoked_at, CASE WHEN k.revoked_at IS NOT NULL THEN 'revoked'
            WHEN k.not_after <= now() THEN 'expired'
            WHEN coalesce(o.suspended_at, t.suspended_at, k.suspended_at) IS NOT NULL
                THEN 'suspended'
            WHEN k.not_before > now() THEN 'pending'
            WHEN k.replaced_by IS NOT NULL THEN 'retiring' ELSE 'active' END, o.created_at,
        k.mirror_reasoning, k.revoke_reason, CASE WHEN o.suspended_at IS NOT NULL THEN 1
            WHEN t.suspended_at IS NOT NULL THEN 2 WHEN k.suspended_at IS NOT NULL THEN 3 END::int2,
        k.suspend_reason, k.replaced_by, k.endpoints, k.tags, k.clamps, k.pepper_id,
        (SELECT y.used_at FROM key_use y WHERE y.shard = $1 AND y.key_id = k.key_id),
        o.suspended_at, o.suspend_reason
        """

    /// Reads a row of ``columns``.
    init(_ row: PostgresRow) throws(PostgresError) {
        func time(_ column: Int) throws(PostgresError) -> Timestamp? {
            try row.optionalTimestamp(column).map(Timestamp.init(microseconds:))
        }
        id = KeyID(rawValue: UInt64(bitPattern: try row.int8(0)))
        subjectID = try row.int8(1)
        organization = Organization(
            id: OrganizationID(rawValue: try row.int8(2)), name: try row.text(3),
            createdAt: Timestamp(microseconds: try row.timestamp(17)),
            suspendedAt: try time(28), suspendReason: try row.optionalText(29))
        teamID = TeamID(rawValue: try row.int8(4))
        teamName = try row.text(5)
        name = try row.text(6)
        prefix = try row.text(7)
        last4 = try row.text(8)
        models = try row.isNull(9) ? nil : try row.texts(9)
        defaultCompletionTokens = try row.optionalInt8(10)
        alwaysUsage = try row.bool(11)
        mirrorsReasoning = try row.bool(18)
        createdAt = Timestamp(microseconds: try row.timestamp(12))
        notBefore = Timestamp(microseconds: try row.timestamp(13))
        notAfter = try time(14)
        revokedAt = try time(15)
        revokeReason = try row.optionalText(19)
        suspended = try row.optionalInt2(20).flatMap(Subject.Kind.init(rawValue:))
        suspendReason = try row.optionalText(21)
        replacedBy = try row.optionalInt8(22).map { KeyID(rawValue: UInt64(bitPattern: $0)) }
        endpoints = try row.isNull(23) ? nil : try row.texts(23)
        tags = try row.texts(24)
        clamps = try row.bool(25)
        pepperID = try row.int2(26)
        lastUsedAt = try time(27)
        guard let state = State(rawValue: try row.text(16)) else {
            throw PostgresError(kind: .decoding(reason: "a key has an unknown state"))
        }
        self.state = state
    }
}
