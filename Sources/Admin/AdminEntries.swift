import Domain
import Ledger

/// A tenant as the commands show it.
struct OrganizationEntry: Equatable {
    let id: OrganizationID
    let name: String
    let createdAt: Timestamp
    var suspendedAt: Timestamp?
    var suspendReason: String?
}

/// A team as the commands show it.
struct TeamEntry: Equatable {
    let id: TeamID
    let name: String
    let createdAt: Timestamp
    var suspendedAt: Timestamp?
    var suspendReason: String?
}

/// A key to be minted.
struct KeyOrder: Equatable {
    let name: String
    /// When it stops being valid; nil for never.
    let expiresAt: Timestamp?
    /// The model aliases it may use; nil for all.
    let models: [String]?
    /// Whether its streams end with their usage, unasked too.
    let streamsUsage: Bool
    /// Whether its answers tell reasoning as `reasoning` too.
    var mirrorsReasoning = false
    /// What it may call; nil for everything.
    var endpoints: [String]?
    /// Its tags, each `name=value`.
    var tags: [String] = []
    /// The bound on completion tokens where a client names none; nil for the gateway's.
    var defaultCompletionTokens: Int64?
    /// Whether a bound that does not fit is made smaller instead of refused.
    var clamps = false
}

/// A key as the commands show it: everything but its secret, which is stored nowhere.
struct KeyEntry: Equatable {
    var id: KeyID
    var name: String
    let team: String
    /// What the key's own quotas belong to.
    let subject: Int64
    /// Whether the key may be used, by the ledger's clock.
    var state: KeyRecord.State
    /// The last four characters of the key, to recognise it by.
    var last4: String
    /// The model aliases it may use; nil for all.
    var models: [String]?
    /// Whether its streams end with their usage, unasked too.
    var streamsUsage: Bool
    /// Whether its answers tell reasoning as `reasoning` too.
    var mirrorsReasoning = false
    let createdAt: Timestamp
    var expiresAt: Timestamp?
    var revokedAt: Timestamp?
    var revokeReason: String?
    /// Who is suspended, if it is anybody: the key, or its team or organization.
    var suspended: Subject.Kind?
    var suspendReason: String?
    /// The secret that has taken its place, if one has.
    var replacedBy: KeyID?
    /// What it may call; nil for everything.
    var endpoints: [String]?
    /// Its tags, each `name=value`.
    var tags: [String] = []
    /// The bound on completion tokens where a client names none; nil for the gateway's.
    var defaultCompletionTokens: Int64?
    /// Whether a bound that does not fit is made smaller instead of refused.
    var clamps = false
    /// The pepper that its digest is made under.
    var pepper: Int16 = 1
    /// When it was last presented and found good, to the minute; nil for never.
    var lastUsedAt: Timestamp?
}

/// A key that was just made, with the only copy of its secret.
struct MintedKeyEntry: ~Copyable {
    let key: KeyEntry
    let secret: APIKeySecret
}

/// Names a quota or a rate limit of a subject.
enum AllowanceTarget: Hashable {
    case quota(Resource, Period)
    case rate(RateLimit.Dimension)

    /// The change that takes it away.
    var clearing: AllowanceChange {
        switch self {
        case .quota(let resource, let period): .clearQuota(resource, period)
        case .rate(let dimension): .clearRateLimit(dimension)
        }
    }

    /// As it is written on the command line: `tokens/day`, `requests/minute`, `concurrent
    /// requests`.
    var name: String {
        switch self {
        case .quota(let resource, let period): "\(resource.name)/\(period.name)"
        case .rate(.requestsPerMinute): "requests/minute"
        case .rate(.tokensPerMinute): "tokens/minute"
        case .rate(.concurrentRequests): "concurrent requests"
        }
    }
}

/// A quota or a rate limit with its running numbers.
struct AllowanceEntry: Equatable {
    /// A quota's running numbers, in tokens, requests or nano-dollars.
    struct Numbers: Equatable {
        /// Settled for good.
        let used: Int64
        /// Claimed by open requests.
        let reserved: Int64
        /// In the gateways' hands and not yet claimed.
        let leased: Int64
        /// What may still be used: the limit less what is used or reserved; never negative.
        let left: Int64
        /// When the period ends; nil for a total.
        let resetsAt: Timestamp?
    }

    let target: AllowanceTarget
    /// The model alias whose requests alone it counts; nil for all models.
    var model: String?
    let limit: Int64
    /// Whether requests go on within the gateways' leases while the ledger is away. Nil for a rate
    /// limit, which is the gateways' own.
    let ridesOutages: Bool?
    /// Nil for a rate limit, which keeps no books.
    let numbers: Numbers?
    /// Whether it is a quota that only warns.
    var isSoft = false

    /// How to name it in a sentence: `tokens/day`, or `tokens/day for model "tiny"`.
    var title: String {
        target.name + (model.map { " for model \(QuotedText.quoted($0))" } ?? "")
    }
}
