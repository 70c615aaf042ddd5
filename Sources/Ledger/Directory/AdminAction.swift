public import Domain

/// What an administrator can do that changes something, by the word in the record of actions.
///
/// The words are public surface: a new one may come, none is renamed.
public enum AdminAction: String, Sendable, Hashable, CaseIterable {
    case organizationCreate = "organization.create"
    case organizationRename = "organization.rename"
    case organizationSuspend = "organization.suspend"
    case organizationResume = "organization.resume"
    case organizationDelete = "organization.delete"
    case teamCreate = "team.create"
    case teamRename = "team.rename"
    case teamSuspend = "team.suspend"
    case teamResume = "team.resume"
    case teamDelete = "team.delete"
    case keyCreate = "key.create"
    case keyRename = "key.rename"
    case keyUpdate = "key.update"
    case keySuspend = "key.suspend"
    case keyResume = "key.resume"
    case keyRotate = "key.rotate"
    case keyFinish = "key.finish"
    case keyRevoke = "key.revoke"
    case keyDelete = "key.delete"
    case adminKeyCreate = "admin_key.create"
    case adminKeyRevoke = "admin_key.revoke"
    case quotaSet = "quota.set"
    case quotaClear = "quota.clear"
    case rateLimitSet = "rate_limit.set"
    case rateLimitClear = "rate_limit.clear"
    case priceSet = "price.set"
    case priceClear = "price.clear"
    case priceReprice = "price.reprice"
    case recordsDrop = "records.drop"
    case nodeWriteOff = "node.write_off"
    case eventRedeliver = "event.redeliver"
    case eventTest = "event.test"
}

/// What an action was done to.
public struct ActionSubject: Sendable, Hashable {
    /// What it is, by its word in the record.
    public enum Kind: String, Sendable {
        case organization
        case team
        case key
        /// A key of the admin HTTP API, of no organization's record: it may be of all.
        case adminKey = "admin_key"
        /// A model alias, of no organization.
        case model
        /// A node, of no organization.
        case node
        /// The records of one day, of all organizations.
        case day
        /// An event for webhooks, by its id; or all that are dead.
        case event
    }

    /// What it is.
    public let kind: Kind
    /// Its number in the ledger; nil for what has none.
    public let id: Int64?
    /// What it was called then.
    public let name: String

    /// Makes a subject.
    public init(kind: Kind, id: Int64?, name: String) {
        self.kind = kind
        self.id = id
        self.name = name
    }
}

/// One action of an administrator. Never changed, never removed.
public struct ActionRecord: Sendable, Hashable {
    /// Its id, which also says its shard.
    public let id: ActionID
    /// When, by the database's clock.
    public let at: Timestamp
    /// Who.
    public let author: ActionAuthor
    /// What was done: a word of ``AdminAction``, or of a later program's.
    public let action: String
    /// What it was done to.
    public let subject: ActionSubject
    /// The tenant's name then; nil for what is of no organization.
    public let organization: String?
    /// What was there before; nil where there was nothing.
    public let before: ActionState?
    /// What is there since; nil where there is nothing.
    public let after: ActionState?

    /// Makes a record.
    public init(
        id: ActionID, at: Timestamp, author: ActionAuthor, action: String, subject: ActionSubject,
        organization: String?, before: ActionState?, after: ActionState?
    ) {
        self.id = id
        self.at = at
        self.author = author
        self.action = action
        self.subject = subject
        self.organization = organization
        self.before = before
        self.after = after
    }
}
