import Postgres

/// How the statements of a batch are planned.
enum BatchPlan {
    // A generic plan knows neither how many rows come nor how large a table is by now: made while a
    // table was nearly empty, it filters all open requests, or all leases of a node, by a list of
    // hundreds, one comparison after the other. A plan for the values at hand takes 0.3 ms a
    // statement, sees the tables as they are, and where it filters, looks the list up by hash. Ends
    // with the transaction.
    private static let custom = PostgresStatement(
        name: nil, sql: "SET LOCAL plan_cache_mode = force_custom_plan")

    /// From so many rows on, planning costs less than it saves: 5 us of 80 a row.
    private static let rowsWorthPlanning = 64

    /// What goes before the statements of a batch of `rows`: at most one command.
    static func commands(rows: Int) -> [PostgresCommand] {
        rows >= rowsWorthPlanning ? [PostgresCommand(custom, [])] : []
    }
}
