/// Something to ask of the ledger about one account. One order per account is in flight at a time.
public struct LeaseOrder: Sendable, Hashable {
    /// What to do.
    public enum Action: Sendable, Hashable {
        /// Enlarge the lease by up to `want` units and at least `least`, or not at all.
        case grow(want: Int64, least: Int64)
        /// Give `units` back; none: fold what is settled into the account. `forget` ends the lease:
        /// folds, gives back whatever is free, and drops the row.
        case giveBack(units: Int64, forget: Bool)
        /// Say how large the lease is, after an answer was lost.
        case look
    }

    /// The account it is about.
    public let account: AccountKey
    /// The lease it is about.
    public let lease: LeaseID
    /// Nil before the first answer: the account's row is then found, or made.
    public let accountID: AccountID?
    /// The quota's limit as the directory says.
    public let limit: Int64
    /// Whether the limit changed since the last order, so that the account's row may lag.
    public let refreshesLimit: Bool
    /// The lease's size before the order, by which a lost answer is repaired.
    public let grantedBefore: Int64
    /// Whether other nodes may be asked to give back what they do not need, should the account have
    /// nothing left to grant while not all of it is spent: when somebody waits for it.
    public let mayRecall: Bool
    /// Whether the node may use up the lease while the ledger is away: should the node die, what is
    /// free of it is then kept for its journal.
    public let rides: Bool
    /// What to do.
    public let action: Action

    /// Whether the slot may go once the order is done.
    var forgets: Bool {
        if case .giveBack(_, forget: true) = action { true } else { false }
    }

    /// Makes an order.
    public init(
        account: AccountKey, lease: LeaseID, accountID: AccountID?, limit: Int64,
        refreshesLimit: Bool, grantedBefore: Int64, mayRecall: Bool, rides: Bool, action: Action
    ) {
        self.account = account
        self.lease = lease
        self.accountID = accountID
        self.limit = limit
        self.refreshesLimit = refreshesLimit
        self.grantedBefore = grantedBefore
        self.mayRecall = mayRecall
        self.rides = rides
        self.action = action
    }
}

/// The ledger's answer to an order.
public enum LeaseReply: Sendable, Hashable {
    /// The lease now has `size` units in all, and the account has `remaining` left to grant;
    /// recalls up to `generation` were for others. Nil where that is not known.
    case granted(AccountID, size: Int64, remaining: Int64, generation: Int64? = nil)
    /// The account has less left than the least that was asked for.
    case refused(AccountID, AccountStatus)
    /// Folded or returned: the lease now has `size` units.
    case returned(size: Int64, remaining: Int64)
    /// The units could not be returned since open requests hold them; the lease has `size` units.
    case notReturned(size: Int64)
    /// A look found the lease with `size` units; no account and no units where there is none.
    case found(AccountID?, size: Int64, remaining: Int64)
    /// Nothing was changed: the ledger could not be reached, this node's lane is not live, or the
    /// quota is gone.
    case failed
    /// The answer was lost and cannot be had: the order may have been carried out or not.
    case unknown
}

/// An account's running numbers as the ledger has them.
public struct AccountStatus: Sendable, Hashable {
    /// What the administrator set.
    public let limit: Int64
    /// Spent: folded and settled.
    public let used: Int64
    /// Held by open requests, of every node.
    public let reserved: Int64
    /// What may still be granted.
    public let remaining: Int64

    /// Makes a status.
    public init(limit: Int64, used: Int64, reserved: Int64, remaining: Int64) {
        self.limit = limit
        self.used = used
        self.reserved = reserved
        self.remaining = remaining
    }

    /// Says why `units` more cannot be had: never, not in this period, or not while others hold
    /// what is left.
    func denial(of units: Int64, account: AccountKey) -> Denial {
        let reason: Denial.Reason =
            if units > limit {
                .exceedsLimit
            } else if used + units > limit {
                .quotaExhausted
            } else {
                .quotaReserved
            }
        return Denial(
            reason: reason, subject: account.subject, resource: account.resource,
            period: account.period, limit: limit, used: used, reserved: reserved, requested: units,
            retryAfter: reason == .quotaReserved ? .seconds(1) : nil,
            resetsAt: account.period.end(of: account.start))
    }
}
