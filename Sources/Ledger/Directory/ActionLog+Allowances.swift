import Domain
import Postgres

/// What is told of quotas and rate limits.
extension ActionLog {
    /// Whose allowances are changed, as the record names them.
    struct Whose {
        let subject: ActionSubject
        let owner: ActionOwner
        /// The model that they are of; nil for all models.
        let model: String?

        /// Reads a row of ``AllowanceStatements/subject(_:)``.
        init(
            _ row: PostgresRow, _ owner: AllowanceStatements.Owner, model: String?
        ) throws(PostgresError) {
            self.model = model
            let kind: ActionSubject.Kind =
                switch owner.subject.kind {
                case .organization: .organization
                case .team: .team
                case .key: .key
                }
            subject = ActionSubject(kind: kind, id: try row.int8(1), name: try row.text(0))
            self.owner = ActionOwner(
                owner.organization, try row.text(3),
                team: try row.optionalInt8(2).map(TeamID.init(rawValue:)))
        }
    }

    /// Makes a change of an allowance, notes it, and says whether there was anything to change.
    mutating func apply(
        _ change: AllowanceChange, _ owner: AllowanceStatements.Owner, of whose: Whose,
        _ connection: PostgresConnection
    ) throws(PostgresError) -> Bool {
        let before = try Self.state(change, owner, whose.model, connection)
        let stored = try connection.execute(AllowanceStatements.store(change, owner))
        guard stored.affectedRows > 0 else { return false }
        if let note = AllowanceStatements.note(change, owner) {
            _ = try connection.execute(note)
        }
        note(
            change.action, whose.subject, of: whose.owner, before: before,
            after: try Self.state(change, owner, whose.model, connection))
        return true
    }

    private static func state(
        _ change: AllowanceChange, _ owner: AllowanceStatements.Owner, _ model: String?,
        _ connection: PostgresConnection
    ) throws(PostgresError) -> ActionState? {
        let rows = try connection.execute(AllowanceStatements.limit(change, owner)).rows
        guard let row = rows.first else { return nil }
        let limit = ActionState.Value.number(try row.int8(0))
        let of = ("model", model.map(ActionState.Value.text))
        switch change {
        case .setQuota(let resource, let period, _, _, _), .clearQuota(let resource, let period):
            return ActionState([
                of, ("resource", .text(resource.name)), ("period", .text(period.name)),
                (resource == .cost ? "limit_nanousd" : "limit", limit),
                ("rides_outages", .flag(try row.bool(1))), ("soft", .flag(try row.bool(2))),
            ])
        case .setRateLimit(let dimension, _), .clearRateLimit(let dimension):
            return ActionState([of, ("dimension", .text(dimension.name)), ("limit", limit)])
        }
    }
}

extension AllowanceChange {
    fileprivate var action: AdminAction {
        switch self {
        case .setQuota: .quotaSet
        case .clearQuota: .quotaClear
        case .setRateLimit: .rateLimitSet
        case .clearRateLimit: .rateLimitClear
        }
    }
}
