/// Everything that can go wrong between this program and Postgres.
public struct PostgresError: Error, Sendable {
    /// What went wrong, by what a caller can do about it.
    public enum Kind: Sendable {
        /// There is no connection, or it was lost while nothing could have been committed. With the
        /// server's last words, when it had any.
        case connection(reason: String, fault: PostgresServerFault?)
        /// The server refused a command and said why. Nothing of the transaction remains.
        indirect case server(PostgresServerFault)
        /// A value was not of the type or shape that was asked for.
        case decoding(reason: String)
        /// The connection was lost, or the wait given up, after something that commits had been
        /// sent: the transaction may or may not have happened. Ask the database before repeating.
        case ambiguous(reason: String, fault: PostgresServerFault?)
        /// The wait was given up and the connection closed. Nothing was committed.
        case timeout(reason: String)
        /// The command cannot be sent as it stands. Nothing was sent.
        case invalid(reason: String)
        /// The pool did not take the work, or could not start it in time. Nothing was sent.
        case overloaded(reason: String)
        /// The task that asked was cancelled before the work started. Nothing was sent.
        case cancelled
    }

    /// What went wrong.
    public let kind: Kind
    /// The position, from 0, of the command that failed in its pipeline or script; nil when no
    /// single command is to blame.
    public var commandIndex: Int?

    /// Makes an error.
    public init(kind: Kind, commandIndex: Int? = nil) {
        self.kind = kind
        self.commandIndex = commandIndex
    }

    /// What the server said, if it said anything.
    public var fault: PostgresServerFault? {
        switch kind {
        case .server(let fault): fault
        case .connection(_, let fault), .ambiguous(_, let fault): fault
        case .decoding, .timeout, .invalid, .overloaded, .cancelled: nil
        }
    }

    /// The five characters of the server's error code, if it gave one.
    public var sqlState: String? { fault?.sqlState }

    /// Whether the outcome of a commit is unknown.
    public var isAmbiguous: Bool {
        if case .ambiguous = kind { true } else { false }
    }

    /// Whether the transaction lost against others that ran beside it (a serialisation failure, a
    /// deadlock): nothing of it happened, and repeated at once it may well succeed.
    public var isConflict: Bool {
        guard case .server(let fault) = kind else { return false }
        return ["40001", "40P01"].contains(fault.sqlState)
    }

    /// Whether the same transaction, repeated as a whole, may succeed and cannot happen twice.
    ///
    /// True for serialisation failures and deadlocks, for a server that is starting or stopping,
    /// and for lost connections where nothing was committed. Never true for an ambiguous outcome.
    public var isRetryable: Bool {
        switch kind {
        case .connection, .timeout, .overloaded: true
        case .server(let fault): fault.isTransient
        case .decoding, .ambiguous, .invalid, .cancelled: false
        }
    }
}

extension PostgresError: CustomStringConvertible, CustomDebugStringConvertible {
    /// What happened without any value, statement or address: fit for anybody's eyes.
    public var description: String {
        let place = commandIndex.map { " (command \($0))" } ?? ""
        let code = sqlState.map { ", SQLSTATE \($0)" } ?? ""
        return switch kind {
        case .connection: "the database connection failed\(code)\(place)"
        case .server(let fault): "the database refused a command: \(fault.description)\(place)"
        case .decoding: "the database answered with an unexpected type\(place)"
        case .ambiguous: "the outcome of a database transaction is unknown\(code)\(place)"
        case .timeout: "the database did not answer in time\(place)"
        case .invalid: "a database command could not be sent\(place)"
        case .overloaded: "too much work is waiting for the database"
        case .cancelled: "the database work was cancelled before it started"
        }
    }

    /// Everything known, for the operator's log. May hold values of a row; never a password.
    public var debugDescription: String {
        let reason: String? =
            switch kind {
            case .connection(let reason, _), .ambiguous(let reason, _): reason
            case .decoding(let reason), .timeout(let reason): reason
            case .invalid(let reason), .overloaded(let reason): reason
            case .server, .cancelled: nil
            }
        return [description, reason, fault?.debugDescription].compactMap(\.self)
            .joined(separator: ": ")
    }
}
