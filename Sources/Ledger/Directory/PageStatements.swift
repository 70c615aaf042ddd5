import Postgres

/// What every page of a list has in common.
enum PageStatements {
    // For one page, in its transaction: the plan that pages are written for, which reads an index in
    // its order until there are enough rows, whatever the statistics say. Without, a table that was
    // never analysed was read whole and sorted for each page.
    private static let settings = PostgresStatement(
        name: nil,
        sql: """
            SELECT set_config('enable_seqscan', 'off', true),
                set_config('enable_bitmapscan', 'off', true),
                set_config('enable_sort', 'off', true),
                set_config('enable_hashjoin', 'off', true),
                set_config('enable_mergejoin', 'off', true),
                set_config('enable_material', 'off', true),
                set_config('max_parallel_workers_per_gather', '0', true),
                set_config('jit', 'off', true)
            """, isReadOnly: true)

    /// What to run for a page; the last result counts.
    static func commands(_ page: PostgresCommand) -> [PostgresCommand] {
        [PostgresCommand(settings, []), page]
    }

    /// The rows of a page.
    static func rows(
        _ page: PostgresCommand, _ connection: PostgresConnection
    ) throws(PostgresError) -> [PostgresRow] {
        do {
            return try connection.pipeline(commands(page)).last?.rows ?? []
        } catch {
            throw PostgresError(kind: error.kind)
        }
    }
}
