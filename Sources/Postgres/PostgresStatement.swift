/// The text of one SQL statement with `$1`, `$2`, … for its parameters.
public struct PostgresStatement: Sendable, Hashable {
    /// With a name the statement is prepared once per connection and reused; nil sends the text
    /// each time.
    public let name: String?
    /// The text. Values never belong in it.
    public let sql: String
    /// The author's word that the statement changes nothing, functions it calls included.
    ///
    /// Decides one thing: a connection lost during such a statement outside a transaction is a
    /// plain connection error, safe to retry, instead of an ambiguous one.
    public let isReadOnly: Bool

    /// Makes a statement that may write.
    public init(name: String?, sql: String) {
        self.init(name: name, sql: sql, isReadOnly: false)
    }

    /// Makes a statement; see `isReadOnly` for what the flag promises.
    public init(name: String?, sql: String, isReadOnly: Bool) {
        self.name = name
        self.sql = sql
        self.isReadOnly = isReadOnly
    }
}

/// A statement and the values of its parameters, in order.
public struct PostgresCommand: Sendable, Hashable {
    /// What to run.
    public let statement: PostgresStatement
    /// The values of `$1`, `$2`, ….
    public let parameters: [PostgresValue]

    /// Binds `parameters` to `statement`.
    public init(_ statement: PostgresStatement, _ parameters: [PostgresValue]) {
        self.statement = statement
        self.parameters = parameters
    }
}
