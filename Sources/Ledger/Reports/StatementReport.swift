public import Domain

/// Whose statement, and of when.
public struct StatementQuery: Sendable, Hashable {
    /// The tenant. Nothing of another one is ever counted.
    public var organization: OrganizationID
    /// Whose quotas and usage.
    public var subject: Subject
    /// The instant: everything settled or corrected until then counts, and nothing after it.
    public var at: Timestamp
    /// Usage is added up over requests admitted from here on.
    public var since: Timestamp

    /// Makes a query.
    public init(
        organization: OrganizationID, subject: Subject, at: Timestamp, since: Timestamp
    ) {
        self.organization = organization
        self.subject = subject
        self.at = at
        self.since = since
    }
}

/// What a subject had used at an instant, and what it had left. The same for ever: it is made of
/// records, corrections and noted limits alone, which are never changed, and of those until the
/// instant.
public struct Statement: Sendable, Hashable {
    /// One quota that was in force at the instant, in the period that holds it.
    public struct Line: Sendable, Hashable {
        /// Which quota and period.
        public let account: AccountKey
        /// The model alias whose requests alone it counts; nil for all models.
        public let model: String?
        /// The limit at the instant.
        public let limit: Int64
        /// Charged until the instant, corrections not counted.
        public let charged: Int128
        /// Given back until the instant, at most 0.
        public let corrected: Int128

        /// Makes a line.
        public init(
            account: AccountKey, model: String? = nil, limit: Int64, charged: Int128,
            corrected: Int128
        ) {
            self.account = account
            self.model = model
            self.limit = limit
            self.charged = charged
            self.corrected = corrected
        }

        /// What counted against the limit.
        public var used: Int128 { charged + corrected }
        /// What was left; never negative.
        public var left: Int128 { max(0, Int128(limit) - used) }
    }

    /// The subject's quotas over all models, by resource and period, then those of single models by
    /// their names.
    public let lines: [Line]
    /// What the subject's keys used.
    public let usage: UsageSums

    /// Makes a statement.
    public init(lines: [Line], usage: UsageSums) {
        self.lines = lines
        self.usage = usage
    }
}
