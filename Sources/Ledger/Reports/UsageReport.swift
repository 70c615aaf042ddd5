public import Domain

/// What a usage report is about.
public struct UsageQuery: Sendable, Hashable {
    /// What the rows of a report stand for.
    public enum Grouping: String, Sendable, CaseIterable {
        case day, hour, month, model, team, key
        /// A tag of keys; a key counts under each of its own.
        case tag
        /// How requests ended. The rollup does not know: the records do, and what retention leaves of
        /// them.
        case endState = "end-state"
    }

    /// The tenant. No row of another one is ever counted.
    public var organization: OrganizationID
    /// Only this team's keys; nil for all.
    public var team: TeamID?
    /// Only this key; nil for all.
    public var key: KeyID?
    /// Only keys that have all of these tags, each `name=value`.
    public var tags: [String] = []
    /// The first hour counted, from its beginning on.
    public var since: Timestamp
    /// The first instant that is not counted, a full hour; nil for no end.
    public var until: Timestamp?
    /// What a row stands for.
    public var grouping: Grouping

    /// Makes a query. The books are kept by the hour: an instant within an hour leaves that hour
    /// out at the beginning, and takes it in at the end, so callers pass full hours.
    public init(
        organization: OrganizationID, team: TeamID?, key: KeyID?, since: Timestamp,
        until: Timestamp?, grouping: Grouping
    ) {
        self.organization = organization
        self.team = team
        self.key = key
        self.since = since
        self.until = until
        self.grouping = grouping
    }
}

/// One row of a usage report.
public struct UsageRow: Sendable, Hashable {
    /// What the row stands for.
    public enum Group: Sendable, Hashable {
        /// A UTC day.
        case day(CalendarDay)
        /// The UTC hour that begins at the instant.
        case hour(Timestamp)
        /// The month that begins on the day.
        case month(CalendarDay)
        /// A model alias; its number after `#` when the ledger has no name for it.
        case model(String)
        /// A team, by name.
        case team(String)
        /// A key, with its name and its team's.
        case key(KeyID, name: String, team: String)
        /// A tag of keys, `name=value`; nil for those without any.
        case tag(String?)
        /// How requests ended.
        case endState(EndState)
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
