/// Who is calling, proven: the key, its team and organization, and what they may do.
///
/// A snapshot of the directory. It may be up to two seconds behind an administrator's change; the
/// ledger checks the key itself again when it accepts a request.
public struct Principal: Sendable, Equatable {
    /// The shard of all rows of the organization.
    public let shard: Shard
    /// The tenant.
    public let organization: OrganizationID
    /// The team the key was issued to.
    public let team: TeamID
    /// The team's name behind its organization's, `acme/research`; empty where nobody asked for it.
    public var teamName = ""
    /// The key presented.
    public let key: KeyID
    /// The subject that the key's own quotas belong to; two keys share it while one replaces the
    /// other.
    public let keySubject: Int64
    /// The model aliases the key may use, or nil for all.
    public let allowedModels: Set<String>?
    /// What the key may call, or nil for everything.
    public var allowedScopes: Set<KeyScope>?
    /// The bound on completion tokens where the client names none and the model allows more.
    public let defaultCompletionTokens: Int64?
    /// Whether a stream always ends with usage, asked for or not.
    public let alwaysShowsUsage: Bool
    /// Whether an answer tells reasoning under both of its names.
    public var mirrorsReasoning = false
    /// Whether a bound on completion tokens that does not fit is made smaller instead of refused.
    public var clampsCompletion = false
    /// Every quota that applies: the key's, the team's and the organization's. One of one model applies
    /// to requests for that model alone.
    public let quotas: [Quota]
    /// Every rate limit that applies, likewise.
    public let rateLimits: [RateLimit]
    /// Whether any of the rate limits is of one model.
    private let limitsModels: Bool

    /// Makes a principal of a directory record.
    public init(
        shard: Shard, organization: OrganizationID, team: TeamID, key: KeyID, keySubject: Int64,
        allowedModels: Set<String>?, defaultCompletionTokens: Int64?, alwaysShowsUsage: Bool,
        quotas: [Quota], rateLimits: [RateLimit]
    ) {
        self.shard = shard
        self.organization = organization
        self.team = team
        self.key = key
        self.keySubject = keySubject
        self.allowedModels = allowedModels
        self.defaultCompletionTokens = defaultCompletionTokens
        self.alwaysShowsUsage = alwaysShowsUsage
        self.quotas = quotas
        self.rateLimits = rateLimits
        limitsModels = rateLimits.contains { $0.model != nil }
    }

    /// The rate limits that apply to a request for the model alias.
    public func rateLimits(of alias: String) -> [RateLimit] {
        limitsModels ? rateLimits.filter { $0.counts(alias) } : rateLimits
    }

    /// Whether the key may use the model alias.
    public func mayUse(model alias: String) -> Bool { allowedModels?.contains(alias) ?? true }

    /// Whether the key may call what belongs to the scope.
    public func mayCall(_ scope: KeyScope) -> Bool { allowedScopes?.contains(scope) ?? true }
}
