public import Domain

/// One request's story, as the ledger knows it.
public struct RequestStory: Sendable, Hashable {
    /// What became of a request that has a record.
    public struct Outcome: Sendable, Hashable {
        /// Tokens by class.
        public let usage: TokenUsage
        /// Tokens charged.
        public let charged: Int64
        /// Tokens that a backend reported beyond the bound.
        public let overage: Int64
        /// What it cost.
        public let cost: NanoUSD
        /// How it was counted.
        public let basis: UsageBasis
        /// How it ended.
        public let endState: EndState
        /// When its record was written.
        public let settledAt: Timestamp
        /// From admission to the first token; nil without one.
        public let timeToFirstToken: Duration?
        /// From admission to the end.
        public let duration: Duration
    }

    /// The most that an open request may use.
    public struct Bound: Sendable, Hashable {
        /// Prompt tokens.
        public let prompt: Int64
        /// Completion tokens.
        public let completion: Int64
        /// Cost.
        public let cost: NanoUSD
    }

    /// Where a request stands.
    public enum State: Sendable, Hashable {
        /// Its claims are held at their bound; `isFenced` once its node is, so that the sweep will
        /// settle it.
        case open(Bound, isFenced: Bool)
        /// It has its record.
        case settled(Outcome)
    }

    /// A later change of its cost: the record was priced anew.
    public struct PriceCorrection: Sendable, Hashable {
        /// When.
        public let at: Timestamp
        /// The version that it is charged by since.
        public let version: Int64
        /// By how much its cost changed.
        public let difference: NanoUSD
    }

    /// The prices of one version, per million tokens.
    public struct Prices: Sendable, Hashable {
        /// Names the version.
        public let version: Int64
        /// The amounts; nil when the ledger has no such version.
        public let price: Price?
    }

    /// What one account holds or was charged for the request.
    public struct Share: Sendable, Hashable {
        /// The account's number.
        public let account: Int64
        /// Whose quota it is; nil when the account is not in the ledger.
        public let quota: AccountKey?
        /// The subject's name.
        public let subjectName: String?
        /// The model alias whose requests alone the quota counts; nil for all models.
        public let model: String?
        /// Claimed, of an open request; charged, of a settled one; in the account's resource.
        public let amount: Int64
        /// What was given back afterwards, at most 0.
        public let correction: Int64
        /// When; nil when nothing was.
        public let correctedAt: Timestamp?
    }

    /// The request.
    public let id: RequestID
    /// Where it stands.
    public let state: State
    /// The key that was used.
    public let key: KeyID
    /// The key's name.
    public let keyName: String
    /// The key's team.
    public let team: String
    /// The model alias.
    public let model: String
    /// The backend that answered, or else the first one it was sent to.
    public let backend: String
    /// The price it is charged at; nil without one.
    public let prices: Prices?
    /// The node that serves or served it.
    public let node: Int64
    /// When it was admitted.
    public let admittedAt: Timestamp
    /// Its accounts.
    public let shares: [Share]
    /// The calls that were made for it; none when the first one answered, which the record tells.
    public var attempts: [Attempt] = []
    /// For which of its own users the client asked; nil where it did not say.
    public var user: UserHash?
    /// How it was priced anew, in order; none for nearly every request.
    public var priceCorrections: [PriceCorrection] = []
}

extension RequestID {
    /// The instant in a UUIDv7, to the millisecond.
    public var instant: Timestamp {
        Timestamp(microseconds: Int64(rawValue >> 80) * 1000)
    }
}
