/// Something that administrators are told of, once: a quota has reached a threshold.
public struct QuotaEvent: Sendable, Hashable {
    /// What it tells.
    public enum Kind: Int16, Sendable, CaseIterable {
        /// A threshold below the whole limit is reached.
        case warning = 1
        /// The whole limit is used.
        case exhausted = 2
        /// Nothing has happened: an administrator tries a webhook.
        case test = 3

        /// The name in webhooks, commands and the configuration.
        public var name: String {
            switch self {
            case .warning: "quota.warning"
            case .exhausted: "quota.exhausted"
            case .test: "webhook.test"
            }
        }

        /// What an account at `percent` of its limit is told as.
        public init(percent: Int64) { self = percent < 100 ? .warning : .exhausted }
    }

    /// Which quota reached what.
    public struct Reached: Sendable, Hashable {
        /// The account, and through it the subject, the resource and the period.
        public let account: AccountKey
        /// The model alias whose requests alone the quota counts; nil for one over all models.
        public let model: String?
        /// The subject's name.
        public let subjectName: String
        /// The key's id where the subject is a key, the newest of those that share the subject.
        public let key: KeyID?
        /// The threshold, in per cent of the limit.
        public let percent: Int64
        /// The limit that it is a part of.
        public let limit: Int64
        /// What was used when it was seen.
        public let used: Int64
        /// Whether the quota only warned then.
        public let isSoft: Bool

        /// Makes the numbers of an event.
        public init(
            account: AccountKey, model: String?, subjectName: String, key: KeyID?, percent: Int64,
            limit: Int64, used: Int64, isSoft: Bool = false
        ) {
            self.account = account
            self.model = model
            self.subjectName = subjectName
            self.key = key
            self.percent = percent
            self.limit = limit
            self.used = used
            self.isSoft = isSoft
        }
    }

    /// Its name.
    public let id: EventID
    /// What it tells.
    public let kind: Kind
    /// When the ledger noted it.
    public let createdAt: Timestamp
    /// Whose it is.
    public let organization: OrganizationID
    /// That organization's name.
    public let organizationName: String
    /// What was reached; nil for a test.
    public let reached: Reached?

    /// Makes an event.
    public init(
        id: EventID, kind: Kind, createdAt: Timestamp, organization: OrganizationID,
        organizationName: String, reached: Reached?
    ) {
        self.id = id
        self.kind = kind
        self.createdAt = createdAt
        self.organization = organization
        self.organizationName = organizationName
        self.reached = reached
    }
}
