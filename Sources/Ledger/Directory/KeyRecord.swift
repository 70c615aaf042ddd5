public import Domain
import Postgres

/// An API key as the directory shows it: everything but the secret, which nobody can read again.
public struct KeyRecord: Sendable, Hashable {
    /// Whether a key may be used, by the database's clock when the record was read.
    public enum State: String, Sendable, CaseIterable {
        case active
        case pending
        case expired
        case revoked
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
    /// Whether it may be used.
    public let state: State

    /// The subject of the key's own quotas.
    public var subject: Subject { Subject(kind: .key, id: subjectID) }

    /// The columns that ``init(_:)`` reads, of `k` api_key, `t` team and `o` organization.
    static let columns = """
        k.key_id, k.subject_id, k.organization_id, o.name, k.team_id, t.name, k.name, k.prefix,
        k.last4, k.models, k.default_completion_tokens, k.always_usage, k.created_at, k.not_before,
        k.not_after, k.revoked_at, CASE WHEN k.revoked_at IS NOT NULL THEN 'revoked'
            WHEN k.not_after <= now() THEN 'expired'
            WHEN k.not_before > now() THEN 'pending' ELSE 'active' END, o.created_at,
        k.mirror_reasoning
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
            createdAt: Timestamp(microseconds: try row.timestamp(17)))
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
        guard let state = State(rawValue: try row.text(16)) else {
            throw PostgresError(kind: .decoding(reason: "a key has an unknown state"))
        }
        self.state = state
    }
}
