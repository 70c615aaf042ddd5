public import Domain

/// Which records are exported.
public struct ExportQuery: Sendable, Hashable {
    /// The tenant. No record of another one is ever exported.
    public let organization: OrganizationID
    /// Only this team's keys; nil for all.
    public let team: TeamID?
    /// Only this key; nil for all.
    public let key: KeyID?
    /// Only keys that have all of these tags, each `name=value`.
    public var tags: [String] = []
    /// The first instant of admission.
    public let since: Timestamp
    /// The first instant that is left out.
    public let until: Timestamp

    /// Makes a query.
    public init(
        organization: OrganizationID, team: TeamID?, key: KeyID?, since: Timestamp,
        until: Timestamp
    ) {
        self.organization = organization
        self.team = team
        self.key = key
        self.since = since
        self.until = until
    }

    /// Where an export begins.
    public var start: ExportPosition {
        ExportPosition(day: since.day, after: RequestID(rawValue: 0))
    }
}

/// How far an export has come: all days before `day`, and of it the requests up to `after`.
public struct ExportPosition: Sendable, Hashable {
    /// The day of the next record.
    public let day: CalendarDay
    /// The last record that was read of it.
    public let after: RequestID

    /// Makes a position.
    public init(day: CalendarDay, after: RequestID) {
        self.day = day
        self.after = after
    }
}

/// Some records in the order of their days and ids, which is that of their admission to the
/// millisecond.
public struct ExportPage: Sendable {
    /// The records; there may be none on a page that is not the last.
    public let records: [ExportRecord]
    /// Where the next page begins; nil after the last.
    public let next: ExportPosition?

    /// Makes a page.
    public init(records: [ExportRecord], next: ExportPosition?) {
        self.records = records
        self.next = next
    }
}

/// One request's record, with the names of what it refers to.
public struct ExportRecord: Sendable, Hashable {
    /// The request.
    public var requestID: RequestID
    /// When it was admitted.
    public var admittedAt: Timestamp
    /// When it was settled.
    public var settledAt: Timestamp
    /// The name of the team that asked.
    public var team: String
    /// The key that asked.
    public var key: KeyID
    /// The key's name.
    public var keyName: String
    /// What was asked, by its alias; its number after `#` when the ledger has no name for it.
    public var model: String
    /// What answered, likewise.
    public var backend: String
    /// What was used.
    public var usage: TokenUsage
    /// Tokens that quotas were charged.
    public var charged: Int64
    /// Tokens beyond the request's bound, which are never charged.
    public var overage: Int64
    /// What it cost.
    public var cost: NanoUSD
    /// By which version of the model's price; nil without one.
    public var priceVersion: Int64?
    /// How the tokens were counted.
    public var basis: UsageBasis
    /// How it ended.
    public var endState: EndState
    /// From admission to the first byte; nil where there was none.
    public var timeToFirstToken: Duration?
    /// From admission to the end.
    public var duration: Duration
    /// For which of its own users the client asked; nil where it did not say.
    public var user: UserHash?

    /// Makes a record.
    public init(
        requestID: RequestID, admittedAt: Timestamp, settledAt: Timestamp, team: String,
        key: KeyID, keyName: String, model: String, backend: String, usage: TokenUsage,
        charged: Int64, overage: Int64, cost: NanoUSD, priceVersion: Int64?, basis: UsageBasis,
        endState: EndState, timeToFirstToken: Duration?, duration: Duration
    ) {
        self.requestID = requestID
        self.admittedAt = admittedAt
        self.settledAt = settledAt
        self.team = team
        self.key = key
        self.keyName = keyName
        self.model = model
        self.backend = backend
        self.usage = usage
        self.charged = charged
        self.overage = overage
        self.cost = cost
        self.priceVersion = priceVersion
        self.basis = basis
        self.endState = endState
        self.timeToFirstToken = timeToFirstToken
        self.duration = duration
    }
}
