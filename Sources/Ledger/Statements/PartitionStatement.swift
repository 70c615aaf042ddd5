import Postgres

/// The daily partitions of `usage`, made ahead of time.
enum PartitionStatement {
    // Today's partition and the next seven, in the ledger's own days, and one for every day whose
    // records found none. Harmless when they are there.
    private static let ahead = PostgresStatement(
        name: nil,
        sql: "SELECT keep_usage_partitions()")

    static var command: PostgresCommand { PostgresCommand(ahead, []) }
}
