import Postgres

/// Transactions that lose against others which run beside them.
///
/// Under the isolation that Postgres comes with only a deadlock does that; where
/// `default_transaction_isolation` is stricter, any transaction may have to be repeated
/// (PostgreSQL documentation, "Serialization Failure Handling").
enum Conflicts {
    /// Beyond as many tries in a row it is no accident that somebody must be told of.
    static let mostTries = 64

    /// Runs a whole transaction, or one statement that is its own, until it does not lose; gives up
    /// after ``mostTries``. A conflict leaves nothing behind, so it cannot happen twice.
    static func repeating<Value>(
        _ transaction: () throws(PostgresError) -> Value
    ) throws(PostgresError) -> Value {
        for _ in 1..<mostTries {
            do throws(PostgresError) {
                return try transaction()
            } catch {
                guard error.isConflict else { throw error }
            }
        }
        return try transaction()
    }
}
