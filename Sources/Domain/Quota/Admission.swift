/// What a request asks the ledger for.
public struct AdmissionRequest: Sendable {
    /// Names the request.
    public let requestID: RequestID
    /// Who calls.
    public let principal: Principal
    /// The most tokens it may use; what it reserves.
    public let bound: TokenBound
    /// The model alias asked for.
    public let model: String
    /// The backend chosen.
    public let backend: String
    /// The price in force, if the model has one.
    public let price: Price?
    /// For which user of its own the client asks; nil where it does not say.
    public var user: UserHash?

    /// Makes an admission request.
    public init(
        requestID: RequestID, principal: Principal, bound: TokenBound, model: String,
        backend: String, price: Price?
    ) {
        self.requestID = requestID
        self.principal = principal
        self.bound = bound
        self.model = model
        self.backend = backend
        self.price = price
    }

    /// The units it reserves of a resource.
    public func units(of resource: Resource) -> Int64 {
        switch resource {
        case .tokens: bound.total
        case .requests: 1
        // Without a price nothing can be bounded in money; such a request costs nothing here.
        case .cost: price?.highestCost(within: bound).rawValue ?? 0
        }
    }
}

/// One request's hold on one lease.
public struct Claim: Sendable, Hashable {
    /// The account held.
    public let account: AccountKey
    /// The account's row.
    public let accountID: AccountID
    /// The lease's row.
    public let lease: LeaseID
    /// Tokens, requests or nano-dollars held.
    public let units: Int64

    /// Makes a claim.
    public init(account: AccountKey, accountID: AccountID, lease: LeaseID, units: Int64) {
        self.account = account
        self.accountID = accountID
        self.lease = lease
        self.units = units
    }
}

/// Whether a request may run. A refusal is a value: callers must look at both.
public enum Admission: ~Copyable, Sendable {
    case admitted(Reservation)
    case denied(Denial)
}

/// Why a request may not run, with the numbers that say so.
public struct Denial: Sendable, Hashable {
    /// What was in the way.
    public enum Reason: Sendable, Hashable {
        /// Too fast, or too many at once.
        case rateLimited(RateLimit.Dimension)
        /// The quota's period has no room left for a request of this size.
        case quotaExhausted
        /// There would be room, but open requests hold it; it may come free at once.
        case quotaReserved
        /// There would be room, but the key's own requests hold as much as those of one key may at a
        /// time.
        case keyShareReserved(most: Int64)
        /// The request alone is larger than the whole limit; it can never pass as it is.
        case exceedsLimit
        /// The request alone is larger than what requests of one key may hold of the limit.
        case exceedsKeyShare(most: Int64)
    }

    /// What was in the way.
    public let reason: Reason
    /// Whose limit it was.
    public let subject: Subject
    /// What the limit counts.
    public let resource: Resource
    /// The quota's period; nil for a rate limit.
    public let period: Period?
    /// The limit itself.
    public let limit: Int64
    /// Spent so far, as the ledger last said; nil where that means nothing.
    public let used: Int64?
    /// Held by open requests, as the ledger last said.
    public let reserved: Int64?
    /// What the request asked for.
    public let requested: Int64
    /// How long to wait before another try can succeed; nil when waiting alone does not help soon.
    public let retryAfter: Duration?
    /// When the period ends; nil for `total` and for rate limits.
    public let resetsAt: Timestamp?
    /// The model alias whose requests alone the limit counts; nil for a limit over all models.
    public private(set) var model: String?

    /// Makes a denial.
    public init(
        reason: Reason, subject: Subject, resource: Resource, period: Period?, limit: Int64,
        used: Int64?, reserved: Int64?, requested: Int64, retryAfter: Duration?,
        resetsAt: Timestamp?
    ) {
        self.reason = reason
        self.subject = subject
        self.resource = resource
        self.period = period
        self.limit = limit
        self.used = used
        self.reserved = reserved
        self.requested = requested
        self.retryAfter = retryAfter
        self.resetsAt = resetsAt
    }

    /// The denial of a request for the model alias: it tells the alias if the limit is of one model.
    public func of(_ alias: String) -> Denial {
        guard subject.isOfOneModel else { return self }
        var named = self
        named.model = alias
        return named
    }
}
