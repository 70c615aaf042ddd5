public import Domain

/// One row of the books that is not what it should be.
public struct AuditFinding: Sendable, Hashable {
    /// How much a finding weighs.
    public enum Weight: String, Sendable {
        /// The books are wrong.
        case difference
        /// The books are right, and somebody should look.
        case warning
    }

    /// How much it weighs.
    public let weight: Weight
    /// What should hold, in a few words.
    public let rule: String
    /// The table of the row.
    public let table: String
    /// The row's shard.
    public let shard: Shard
    /// The rest of the row's primary key, as `column=value` with spaces between.
    public let row: String
    /// What stands there.
    public let found: String
    /// What should.
    public let expected: String

    /// Makes a finding.
    public init(
        weight: Weight, rule: String, table: String, shard: Shard, row: String, found: String,
        expected: String
    ) {
        self.weight = weight
        self.rule = rule
        self.table = table
        self.shard = shard
        self.row = row
        self.found = found
        self.expected = expected
    }
}

/// What an audit has read and found.
public struct AuditReport: Sendable, Hashable {
    /// What was read of one or more shards.
    public struct Extent: Sendable, Hashable {
        /// Shards audited, each in a snapshot of its own.
        public var shards: Int64 = 0
        /// Accounts proved.
        public var accounts: Int64 = 0
        /// Open requests.
        public var reservations: Int64 = 0
        /// Usage records that were read one by one.
        public var records: Int64 = 0
        /// Usage records that a seal stood for.
        public var sealedRecords: Int64 = 0

        /// Nothing read.
        public init() {}
    }

    /// What was read.
    public var extent = Extent()
    /// Every row that differs, the shards in order; at most ``mostFindings`` for each rule and
    /// shard.
    public var findings: [AuditFinding] = []

    /// The findings of one rule and shard that are listed; what breaks one row often breaks all.
    public static let mostFindings: Int64 = 1000

    /// Makes a report without findings.
    public init() {}

    /// What is wrong.
    public var differences: [AuditFinding] { findings.filter { $0.weight == .difference } }
    /// What somebody should look at.
    public var warnings: [AuditFinding] { findings.filter { $0.weight == .warning } }
}

/// How much an audit reads.
public enum AuditDepth: Sendable {
    /// Seals stand for the records of closed days that an earlier audit has proved. When anything
    /// differs, everything is read before it is told.
    case incremental
    /// Every record that there is.
    case complete
}
