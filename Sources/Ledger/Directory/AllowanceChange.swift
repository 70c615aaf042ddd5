public import Domain
import Postgres

/// One change of what a subject may use.
public enum AllowanceChange: Sendable, Hashable {
    /// Sets a quota's limit, in tokens, requests or nano-dollars; 0 lets nothing through. And
    /// whether its leases may be used up while the ledger cannot be reached: nil leaves that as it
    /// is, and a new quota may. And whether it only warns: nil leaves that as it is, and a new quota
    /// is hard.
    case setQuota(
        Resource, Period, limit: Int64, ridesOutages: Bool? = nil, isSoft: Bool? = nil)
    /// Takes a quota away: what is used is kept in the books, nothing is refused for it any more.
    case clearQuota(Resource, Period)
    /// Sets a rate limit, at least 1.
    case setRateLimit(RateLimit.Dimension, limit: Int64)
    /// Takes a rate limit away.
    case clearRateLimit(RateLimit.Dimension)
}

extension DirectoryStore {
    /// Makes all `changes` of a subject, or none of them, and says of each whether anything was
    /// there to change; setting always has something.
    ///
    /// Then tells the accounts of the current periods, one statement each: raised limits count at
    /// once; lowered ones never fail, what is granted stays granted and is recalled. If the
    /// connection is lost in between, the quotas stand, and repeating the call tells the accounts.
    /// With a `model` it is about what the subject may use of that model alias, beside what it may
    /// use of all of them: a request for it must pass both. The name is not looked up: a model may
    /// be configured later.
    ///
    /// Throws `missing` when the organization has no such subject, and `invalid` for what cannot be
    /// stored.
    public func apply(
        _ changes: [AllowanceChange], subject: Subject, model: String? = nil,
        organization: Organization
    ) throws(LedgerError) -> [Bool] {
        for change in changes { try change.check() }
        if let model, !(1...128).contains(model.utf8.count) {
            throw .invalid("the name of a model is 1 to 128 bytes")
        }
        let shard = organization.id.shard
        let owner = AllowanceStatements.Owner(shard, organization.id, subject)
        let done = try DirectoryTransaction.change(shard, on: connection, by: recorder) {
            connection, log throws(PostgresError) -> (AllowanceStatements.Owner?, [Bool])? in
            let found = try connection.execute(AllowanceStatements.subject(owner))
            guard let row = found.rows.first else { return nil }
            let whose = try ActionLog.Whose(row, owner, model: model)
            let sets = changes.contains(where: \.sets)
            guard let holder = try holder(of: model, owner, isMade: sets, connection) else {
                return (nil, changes.map { _ in false })
            }
            let changed = try changes.map { change throws(PostgresError) in
                try log.apply(change, holder, of: whose, connection)
            }
            return (holder, changed)
        }
        guard let (holder, changed) = done else {
            throw .missing(what: subject.kind.name, name: String(subject.id))
        }
        for change in changes {
            guard let holder, let command = AllowanceStatements.tellAccount(change, holder)
            else { continue }
            try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
                _ = try connection.execute(command)
            }
        }
        return changed
    }

    /// Under which subject the allowances of `model` stand: nil when it never had any and none is to
    /// be made.
    private func holder(
        of model: String?, _ owner: AllowanceStatements.Owner, isMade: Bool,
        _ connection: PostgresConnection
    ) throws(PostgresError) -> AllowanceStatements.Owner? {
        guard let model else { return owner }
        if isMade {
            _ = try connection.execute(
                SubjectModelStatements.add(model, owner, number: -random.positive()))
        }
        let rows = try connection.execute(SubjectModelStatements.find(model, owner)).rows
        guard let number = try rows.first?.int8(0) else { return nil }
        return AllowanceStatements.Owner(
            owner.shard, owner.organization, Subject(kind: owner.subject.kind, id: number))
    }

    /// The database's clock, by which keys expire and periods end.
    public func time() throws(LedgerError) -> Timestamp {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            let rows = try connection.execute(AllowanceStatements.time).rows
            return Timestamp(microseconds: try rows.first?.timestamp(0) ?? 0)
        }
    }
}

extension AllowanceChange {
    /// Whether it sets something, which then has to have a place.
    fileprivate var sets: Bool {
        switch self {
        case .setQuota, .setRateLimit: true
        case .clearQuota, .clearRateLimit: false
        }
    }

    /// Throws `invalid` for a limit that cannot be stored.
    fileprivate func check() throws(LedgerError) {
        switch self {
        case .setQuota(_, _, let limit, _, _) where limit < 0:
            throw .invalid("a quota is not negative")
        case .setQuota(_, _, limit: 0, _, isSoft: true):
            throw .invalid("a soft quota of 0 has no part to warn of; give at least 1")
        case .setRateLimit(_, let limit) where limit < 1:
            throw .invalid("a rate limit is at least 1")
        case .setQuota, .clearQuota, .setRateLimit, .clearRateLimit: break
        }
    }
}
