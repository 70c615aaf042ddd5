public import Postgres

/// Why the directory, the migrator or a report did not do what was asked.
public enum LedgerError: Error, Sendable {
    /// The database cannot be reached or did not answer in time. Nothing was changed.
    case unreachable(PostgresError)
    /// Others changed the same rows at the same moment, each time it was tried. Nothing was changed.
    case conflicted(PostgresError)
    /// The answer to a commit was lost: the change may or may not have happened. Look before
    /// repeating it.
    case uncertain(PostgresError)
    /// The database refused a command, or a row holds what no row of ours can.
    case database(PostgresError)
    /// There is one already: what it is and the name asked for.
    case exists(what: String, name: String)
    /// There is none: what it is and the name asked for.
    case missing(what: String, name: String)
    /// A value that cannot be stored, with the rule it breaks.
    case invalid(String)
    /// What is there does not allow it, in words. Nothing was changed.
    case refused(String)
    /// The creation was made before, under the same word of the client: the id of what it made.
    case repeated(Int64)
    /// The client's word for a creation stands for another request.
    case reused
    /// The database's schema is not one that this program can work with or bring up to date.
    case schema(SchemaState)
    /// A migration failed. Nothing of it remains.
    case migrationFailed(number: Int32, name: String, PostgresError)

    /// What a claim found.
    init(_ earlier: CreationClaim.Earlier) {
        switch earlier {
        case .same(let id): self = .repeated(id)
        case .other: self = .reused
        }
    }

    /// Translates a failure of the wrapper, at the border of this room.
    init(_ error: PostgresError) {
        switch error.kind {
        case _ where error.isConflict: self = .conflicted(error)
        case .connection, .timeout, .overloaded, .cancelled: self = .unreachable(error)
        case .ambiguous: self = .uncertain(error)
        case .server(let fault) where fault.isTransient: self = .unreachable(error)
        case .server, .decoding, .invalid: self = .database(error)
        }
    }
}

extension LedgerError: CustomStringConvertible, CustomDebugStringConvertible {
    /// One sentence that is safe to show to anybody.
    public var description: String {
        switch self {
        case .unreachable: "the ledger's database cannot be reached"
        case .conflicted: "others kept changing the same rows of the ledger at the same moment"
        case .uncertain:
            "the connection was lost during a change, which may or may not have happened"
        case .database(let error): error.description
        case .exists(let what, let name): "there is a \(what) \"\(name)\" already"
        case .missing(let what, let name): "there is no \(what) \"\(name)\""
        case .invalid(let rule): rule
        case .refused(let reason): reason
        case .repeated: "that was made before"
        case .reused: "the word for this creation stands for another request"
        case .schema(let state): state.description
        case .migrationFailed(let number, let name, let error):
            "migration \(Migration.label(number, name)) failed and left nothing behind: \(error)"
        }
    }

    /// The same with what the database said, for the operator.
    public var debugDescription: String {
        switch self {
        case .unreachable(let error), .conflicted(let error), .uncertain(let error),
            .database(let error),
            .migrationFailed(_, _, let error):
            "\(description): \(error.debugDescription)"
        case .exists, .missing, .invalid, .refused, .repeated, .reused, .schema: description
        }
    }
}
