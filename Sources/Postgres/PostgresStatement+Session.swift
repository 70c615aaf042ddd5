// The statements this wrapper needs for itself. They touch no table.
extension PostgresStatement {
    static let commit = PostgresStatement(name: nil, sql: "COMMIT")
    static let commitReadOnly = PostgresStatement(name: nil, sql: "COMMIT", isReadOnly: true)
    static let rollback = PostgresStatement(name: nil, sql: "ROLLBACK", isReadOnly: true)
    static let deallocateAll = PostgresStatement(
        name: nil, sql: "DEALLOCATE ALL", isReadOnly: true)

    /// The process that runs this very statement.
    static let serverProcess = PostgresStatement(
        name: nil, sql: "SELECT pg_backend_pid()", isReadOnly: true)

    /// Sets settings, in the order of the arrays of names (`$1`) and values (`$2`), until the end
    /// of the transaction (`$3`) or for the session.
    ///
    /// A function call instead of `SET`, which takes no parameters and would need the values in its
    /// text.
    static let applySettings = PostgresStatement(
        name: nil,
        sql: """
            SELECT set_config(s.name, s.value, $3)
            FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS s(name, value, position)
            ORDER BY s.position
            """,
        isReadOnly: true)
}

extension PostgresCommand {
    /// Sets `settings`, in order, until the end of the transaction or for the session.
    static func applying(
        _ settings: [(name: String, value: String)], untilCommit: Bool
    ) -> PostgresCommand {
        PostgresCommand(
            .applySettings,
            [
                .texts(settings.map(\.name)), .texts(settings.map(\.value)), .bool(untilCommit),
            ])
    }
}
