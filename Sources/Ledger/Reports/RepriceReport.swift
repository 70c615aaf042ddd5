public import Domain

/// Which records are to be priced anew, and by which version.
public struct RepriceOrder: Sendable, Hashable {
    /// The model alias.
    public var model: String
    /// Requests admitted from here on.
    public var since: Timestamp
    /// The first instant of admission that is not priced anew.
    public var until: Timestamp
    /// The version that they are charged by from now on.
    public var version: Int64
    /// Versions to replace beside those that were in force for the same terms.
    public var replacing: [Int64]

    /// Makes an order.
    public init(
        model: String, since: Timestamp, until: Timestamp, version: Int64, replacing: [Int64]
    ) {
        self.model = model
        self.since = since
        self.until = until
        self.version = version
        self.replacing = replacing
    }
}

/// What a repricing would change, or has changed.
public struct RepriceReport: Sendable, Hashable {
    /// What becomes of the records of one version.
    public enum Fate: String, Sendable, Hashable {
        /// They get a correction.
        case repriced
        /// They are charged by the version already.
        case already
        /// The version was in force for something else, or nobody knows for what.
        case otherTerms = "other_terms"
        /// They were charged at their bound, as their node had died: nobody knows their tokens.
        case swept
    }

    /// The records of one version.
    public struct Line: Sendable, Hashable {
        /// The version that they were last charged by; nil for no price.
        public var was: Int64?
        /// The version that they are to be charged by.
        public var becomes: Int64?
        /// What becomes of them.
        public var fate: Fate
        /// How many.
        public var records: Int64
        /// What they cost before, in nano-dollars.
        public var before: Int128
        /// What they cost afterwards.
        public var after: Int128

        /// Makes a line.
        public init(
            was: Int64?, becomes: Int64?, fate: Fate, records: Int64, before: Int128, after: Int128
        ) {
            self.was = was
            self.becomes = becomes
            self.fate = fate
            self.records = records
            self.before = before
            self.after = after
        }
    }

    /// By version.
    public var lines: [Line] = []
    /// Days of the range whose records were dropped, over all shards.
    public var droppedDays: Int64 = 0

    /// Makes an empty report.
    public init() {}

    /// How many records change.
    public var records: Int64 {
        lines.reduce(0) { $0 + ($1.fate == .repriced ? $1.records : 0) }
    }
    /// By how much, in nano-dollars.
    public var difference: Int128 {
        lines.reduce(0) { $0 + ($1.fate == .repriced ? $1.after - $1.before : 0) }
    }
}

/// What a repricing did.
public struct RepriceOutcome: Sendable, Hashable {
    /// Corrections that were written.
    public var records: Int64 = 0
    /// What they come to, in nano-dollars.
    public var difference: Int128 = 0
    /// What was applied to quotas in cost whose period still runs.
    public var applied: Int128 = 0
    /// Accounts that are still owed something, and what: it waits for what gateways have yet to
    /// hand in.
    public var waitingAccounts: Int64 = 0
    /// What they are owed.
    public var waiting: Int128 = 0

    /// Makes an outcome of nothing.
    public init() {}
}

extension RepriceOrder {
    /// The order as the record of actions tells it: begun while it has no outcome.
    func actionState(_ outcome: RepriceOutcome?) -> ActionState {
        ActionState([
            ("stage", .text(outcome == nil ? "begun" : "finished")),
            ("since", .instant(since)), ("until", .instant(until)),
            ("version", .text(String(version))),
            ("replacing", replacing.isEmpty ? nil : .names(replacing.map { String($0) })),
            ("records", outcome.map { .number($0.records) }),
            ("difference_nanousd", outcome.map { .text(String($0.difference)) }),
        ])
    }
}
