import Postgres

/// The daily partitions of `usage`, made ahead of time.
enum PartitionStatement {
    // Today's partition and the next seven, in the ledger's own days. Harmless when they are there.
    private static let ahead = PostgresStatement(
        name: nil,
        sql: "SELECT make_usage_partitions((now() AT TIME ZONE 'UTC')::date, 8)")

    static var command: PostgresCommand { PostgresCommand(ahead, []) }
}
