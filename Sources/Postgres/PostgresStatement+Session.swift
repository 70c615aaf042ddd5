// The statements this wrapper needs for itself. They touch no table.
extension PostgresStatement {
    static let commit = PostgresStatement(name: nil, sql: "COMMIT")
    static let commitReadOnly = PostgresStatement(name: nil, sql: "COMMIT", isReadOnly: true)
    static let rollback = PostgresStatement(name: nil, sql: "ROLLBACK", isReadOnly: true)
    static let deallocateAll = PostgresStatement(
        name: nil, sql: "DEALLOCATE ALL", isReadOnly: true)

    /// Sets settings for the session, in the order of the arrays of names (`$1`) and values (`$2`).
    ///
    /// A function call instead of `SET`, which takes no parameters and would need the values in its
    /// text.
    static let applySettings = PostgresStatement(
        name: nil,
        sql: """
            SELECT set_config(s.name, s.value, false)
            FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS s(name, value, position)
            ORDER BY s.position
            """,
        isReadOnly: true)
}
