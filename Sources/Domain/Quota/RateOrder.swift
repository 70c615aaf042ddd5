/// Names the shared bucket of a rate limit: whose it is, and what flows.
public struct RateBucket: Sendable, Hashable {
    /// What the limit belongs to.
    public let subject: Subject
    /// What flows.
    public let dimension: RateLimit.Dimension

    /// Names a bucket.
    public init(subject: Subject, dimension: RateLimit.Dimension) {
        self.subject = subject
        self.dimension = dimension
    }

    /// Ids are random, so that one number of all three parts is enough, and this is on the path of
    /// every request.
    public func hash(into hasher: inout Hasher) {
        let kinds = Int64(subject.kind.rawValue) << 2 | Int64(dimension.rawValue)
        hasher.combine(subject.id &* 16 &+ kinds)
    }
}

/// What a node asks of one shared bucket of the ledger.
public struct RateOrder: Sendable, Hashable {
    /// The bucket.
    public let bucket: RateBucket
    /// As many cells as this, if they are there; 0 to ask for none.
    public let want: Int64
    /// No cells at all if not as many as this are there.
    public let least: Int64
    /// Cells that were debited and not used, to be credited first. Negative: cells that were passed
    /// without the ledger, to be debited.
    public let credit: Int64

    /// Makes an order.
    public init(bucket: RateBucket, want: Int64, least: Int64, credit: Int64) {
        self.bucket = bucket
        self.want = want
        self.least = least
        self.credit = credit
    }
}

/// The ledger's answer to a rate order.
public enum RateReply: Sendable, Hashable {
    /// `granted` cells are the node's for ``RateBook/lifetime`` from `asked` on. The bucket of
    /// `limit` per minute is whole again in `level`, by the ledger's clock.
    case answered(granted: Int64, limit: Int64, level: Duration, asked: Uptime)
    /// There is no such limit any more.
    case lifted
}
