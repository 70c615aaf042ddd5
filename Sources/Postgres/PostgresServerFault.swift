/// An error as the server reported it.
public struct PostgresServerFault: Sendable, Hashable {
    /// The five characters of the error code, as in the appendix of Postgres' manual.
    public let sqlState: String
    /// `ERROR`, `FATAL` or `PANIC`, in English whatever the server speaks.
    public let severity: String
    /// The server's sentence. May quote a value.
    public let message: String
    /// More about it. Often quotes a value.
    public let detail: String?
    /// What the server would try.
    public let hint: String?
    /// The schema of the table concerned.
    public let schema: String?
    /// The table concerned.
    public let table: String?
    /// The column concerned.
    public let column: String?
    /// The constraint that was violated.
    public let constraint: String?
    /// The functions or statements in which it happened.
    public let context: String?
    /// The function in the server's source that reported it; proxies leave it out of their own
    /// faults.
    public let sourceFunction: String?

    /// Makes a fault; the server's texts are taken as they are.
    public init(
        sqlState: String, severity: String = "ERROR", message: String, detail: String? = nil,
        hint: String? = nil, schema: String? = nil, table: String? = nil, column: String? = nil,
        constraint: String? = nil, context: String? = nil, sourceFunction: String? = nil
    ) {
        self.sqlState = sqlState
        self.severity = severity
        self.message = message
        self.detail = detail
        self.hint = hint
        self.schema = schema
        self.table = table
        self.column = column
        self.constraint = constraint
        self.context = context
        self.sourceFunction = sourceFunction
    }

    /// Whether the server ended the session with this fault.
    public var endsSession: Bool { severity == "FATAL" || severity == "PANIC" }

    /// Whether the same transaction may succeed when it is repeated: serialisation failure,
    /// deadlock, a server that is stopping or starting, connection trouble.
    public var isTransient: Bool {
        switch sqlState {
        case "40001", "40P01", "57P01", "57P02", "57P03": true
        default: sqlState.hasPrefix("08")
        }
    }
}

extension PostgresServerFault: CustomStringConvertible, CustomDebugStringConvertible {
    /// The code and the constraint's name: nothing a row could hold.
    public var description: String {
        constraint.map { "SQLSTATE \(sqlState), constraint \($0)" } ?? "SQLSTATE \(sqlState)"
    }

    /// Everything the server said.
    public var debugDescription: String {
        let named: [(String, String?)] = [
            ("detail", detail), ("hint", hint), ("schema", schema), ("table", table),
            ("column", column), ("constraint", constraint), ("context", context),
        ]
        let rest = named.compactMap { name, text in text.map { "\(name): \($0)" } }
        return (["\(severity) \(sqlState): \(message)"] + rest).joined(separator: "; ")
    }
}
