/// What a key may read of the ledger's books with nothing but itself: its own usage, and the quotas
/// that apply to it. Never a word of another subject's usage.
///
/// Not for the request path: it may wait, and it is bounded so that no number of readers is felt
/// there.
public protocol TenantBooks: Sendable {
    /// What the principal's key used. A key that replaces another one shares its subject, and so
    /// its usage.
    func usage(
        of principal: Principal, _ question: OwnUsageQuestion
    ) async throws(BooksFault) -> [OwnUsageRow]

    /// The quotas that apply to the principal's key, in one snapshot.
    func quotas(of principal: Principal) async throws(BooksFault) -> OwnQuotas
}

/// The books cannot be read.
public enum BooksFault: Error, Sendable, Equatable {
    /// The ledger cannot be reached, or too many read at the same time.
    case unavailable
    /// This key reads too often: again after `retryAfter`.
    case throttled(retryAfter: Duration)
}

/// What a key asks of its own usage.
public struct OwnUsageQuestion: Sendable, Hashable {
    /// What a row stands for.
    public enum Grouping: String, Sendable, CaseIterable {
        case hour, day, month, model

        /// The longest span, in hours: a report has a bounded number of rows and reads a bounded
        /// number of the books' hours.
        public var mostHours: Int64 { self == .hour ? 31 * 24 : 92 * 24 }
    }

    /// The first hour counted, from its beginning on.
    public let since: Timestamp
    /// The first instant that is not counted, a full hour.
    public let until: Timestamp
    /// What a row stands for.
    public let grouping: Grouping

    /// Makes a question about full hours; at most `grouping.mostHours` of them.
    public init(since: Timestamp, until: Timestamp, grouping: Grouping) {
        precondition(
            until.microseconds - since.microseconds <= grouping.mostHours * 3_600_000_000,
            "a report of a key's own usage is bounded")
        self.since = since
        self.until = until
        self.grouping = grouping
    }
}

/// A row of a key's own usage.
public struct OwnUsageRow: Sendable, Hashable {
    /// What a row stands for; times are in UTC.
    public enum Group: Sendable, Hashable {
        /// The hour that begins at the instant.
        case hour(Timestamp)
        case day(CalendarDay)
        /// The month that begins on the day.
        case month(CalendarDay)
        /// A model alias; its number after `#` when the ledger has no name for it.
        case model(String)
    }

    /// What the row stands for.
    public let group: Group
    /// What was used.
    public let sums: UsageSums

    /// Makes a row.
    public init(group: Group, sums: UsageSums) {
        self.group = group
        self.sums = sums
    }
}

/// The quotas that apply to a key.
public struct OwnQuotas: Sendable, Hashable {
    /// One quota.
    public struct Line: Sendable, Hashable {
        /// The key's own numbers.
        public struct Numbers: Sendable, Hashable {
            /// Settled in the current period.
            public let used: Int64
            /// Claimed by requests that still run, at their bounds.
            public let reserved: Int64

            /// Makes the numbers.
            public init(used: Int64, reserved: Int64) {
                self.used = used
                self.reserved = reserved
            }
        }

        /// The quota.
        public let quota: Quota
        /// The limit less what is used or reserved, never negative.
        public let left: Int64
        /// Of the key's own quota; nil of a team's or an organization's, where they would be other
        /// keys' numbers.
        public let own: Numbers?
        /// When the period ends; nil for a total.
        public let resetsAt: Timestamp?

        /// Makes a line of a quota's numbers; keeps to itself what is not the key's own.
        public init(quota: Quota, used: Int64, reserved: Int64, resetsAt: Timestamp?) {
            self.quota = quota
            left = max(0, quota.limit - used - reserved)
            own = quota.subject.kind == .key ? Numbers(used: used, reserved: reserved) : nil
            self.resetsAt = resetsAt
        }
    }

    /// The ledger's time of the snapshot.
    public let asOf: Timestamp
    /// The organization's, then the team's, then the key's.
    public let lines: [Line]

    /// Makes the answer.
    public init(asOf: Timestamp, lines: [Line]) {
        self.asOf = asOf
        self.lines = lines
    }
}
