/// What a quota or a rate limit belongs to: an organization, a team or a key, or what one of them
/// uses of one model.
public struct Subject: Sendable, Hashable {
    /// The levels of tenancy.
    public enum Kind: Int16, Sendable, CaseIterable {
        case organization = 1
        case team = 2
        case key = 3

        /// The glossary's word for the level.
        public var name: String {
            switch self {
            case .organization: "organization"
            case .team: "team"
            case .key: "key"
            }
        }
    }

    /// The level.
    public let kind: Kind
    /// The organization's or team's id, or the key's subject id. Negative: the number that the
    /// directory gave to what one of them uses of one model.
    public let id: Int64

    /// Makes a subject.
    public init(kind: Kind, id: Int64) {
        self.kind = kind
        self.id = id
    }

    /// Whether it stands for what an organization, a team or a key uses of one model.
    public var isOfOneModel: Bool { id < 0 }
}

/// What a quota counts.
public enum Resource: Int16, Sendable, CaseIterable {
    /// Prompt and completion tokens together.
    case tokens = 1
    /// Answered requests.
    case requests = 2
    /// Nano-dollars.
    case cost = 3

    /// The glossary's word for the resource.
    public var name: String {
        switch self {
        case .tokens: "tokens"
        case .requests: "requests"
        case .cost: "cost"
        }
    }
}

/// The calendar period over which a quota is an allowance. Periods are in UTC.
public enum Period: Int16, Sendable, CaseIterable {
    case day = 1
    case month = 2
    /// For ever: the quota never renews.
    case total = 3

    /// The glossary's word for the period.
    public var name: String {
        switch self {
        case .day: "day"
        case .month: "month"
        case .total: "total"
        }
    }

    /// The first day of the period that holds `instant`. The sentinel for `total` is 1970-01-01.
    public func start(at instant: Timestamp) -> CalendarDay {
        switch self {
        case .day: instant.day
        case .month: instant.day.firstOfMonth
        case .total: CalendarDay(rawValue: 0)
        }
    }

    /// When the period that began on `start` ends; nil for `total`.
    public func end(of start: CalendarDay) -> Timestamp? {
        switch self {
        case .day: start.next.start
        case .month: start.firstOfNextMonth.start
        case .total: nil
        }
    }
}

/// An allowance of a resource per period: a hard one, which is never exceeded, or a soft one, of whose
/// use somebody is told and which refuses nothing.
public struct Quota: Sendable, Hashable {
    /// What it belongs to.
    public let subject: Subject
    /// What it counts.
    public let resource: Resource
    /// Over which period.
    public let period: Period
    /// The allowance, in tokens, requests or nano-dollars.
    public let limit: Int64
    /// Whether leases may be used up while the ledger cannot be reached. Strict quotas refuse then.
    public let ridesOutages: Bool
    /// The model alias whose requests alone it counts; nil for a quota over all models.
    public let model: String?
    /// Whether it only warns.
    public let isSoft: Bool

    /// The largest limit: exact in JSON numbers, and far from where sums of many requests overflow.
    public static let highestLimit: Int64 = 1 << 53

    /// Makes a quota; a limit is not negative, and one above ``highestLimit`` counts as that.
    public init(
        subject: Subject, resource: Resource, period: Period, limit: Int64,
        ridesOutages: Bool = true, model: String? = nil, isSoft: Bool = false
    ) {
        precondition(limit >= 0, "a quota is not negative")
        self.subject = subject
        self.resource = resource
        self.period = period
        self.limit = min(limit, Self.highestLimit)
        self.ridesOutages = ridesOutages
        self.model = model
        self.isSoft = isSoft
    }

    /// Whether it counts requests for the model alias.
    public func counts(_ alias: String) -> Bool { model.map { $0 == alias } ?? true }

    /// The account that holds the quota's running numbers at `instant`.
    public func account(at instant: Timestamp) -> AccountKey {
        AccountKey(
            subject: subject, resource: resource, period: period, start: period.start(at: instant))
    }
}

/// Names an account: a quota's running numbers for one subject and period.
public struct AccountKey: Sendable, Hashable {
    /// What it belongs to.
    public let subject: Subject
    /// What it counts.
    public let resource: Resource
    /// Over which period.
    public let period: Period
    /// The period's first day.
    public let start: CalendarDay

    /// Names the account of a subject, resource and period.
    public init(subject: Subject, resource: Resource, period: Period, start: CalendarDay) {
        self.subject = subject
        self.resource = resource
        self.period = period
        self.start = start
    }
}

/// The number of an account's row in the ledger.
public struct AccountID: Sendable, Hashable {
    /// The number stored in the ledger.
    public let rawValue: Int64

    /// Makes an id of the number stored in the ledger.
    public init(rawValue: Int64) { self.rawValue = rawValue }
}

/// The number of a lease's row in the ledger: 63 random bits, chosen by the node.
public struct LeaseID: Sendable, Hashable {
    /// The number stored in the ledger.
    public let rawValue: Int64

    /// Makes an id of the number stored in the ledger.
    public init(rawValue: Int64) { self.rawValue = rawValue }
}

/// An allowance per flow: how fast, or how many at once.
public struct RateLimit: Sendable, Hashable {
    /// What flows.
    public enum Dimension: Int16, Sendable, CaseIterable {
        case requestsPerMinute = 1
        case tokensPerMinute = 2
        case concurrentRequests = 3

        /// The name in errors and reports.
        public var name: String {
            switch self {
            case .requestsPerMinute: "requests_per_minute"
            case .tokensPerMinute: "tokens_per_minute"
            case .concurrentRequests: "concurrent_requests"
            }
        }
    }

    /// What it belongs to.
    public let subject: Subject
    /// What flows.
    public let dimension: Dimension
    /// Requests or tokens per minute, or requests at once.
    public let limit: Int64
    /// The model alias whose requests alone it counts; nil for a limit over all models.
    public let model: String?

    /// The highest rate: no machine reaches it, and cells stay exact.
    public static let highestLimit: Int64 = 1 << 40

    /// Makes a rate limit; it is at least one, and one above ``highestLimit`` counts as that.
    public init(subject: Subject, dimension: Dimension, limit: Int64, model: String? = nil) {
        precondition(limit >= 1, "a rate limit is at least one")
        self.subject = subject
        self.dimension = dimension
        self.limit = min(limit, Self.highestLimit)
        self.model = model
    }

    /// Whether it counts requests for the model alias.
    public func counts(_ alias: String) -> Bool { model.map { $0 == alias } ?? true }
}
