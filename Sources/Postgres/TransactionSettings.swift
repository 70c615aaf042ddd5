/// Settings for a connection whose server session is shared, as behind PgBouncer's transaction
/// pooling: set for the session they would reach other clients' transactions and miss our own, so
/// each transaction sets them for itself, in the same round trip.
struct TransactionSettings {
    private let command: PostgresCommand

    /// Nil when there is nothing to set.
    init?(_ settings: [(name: String, value: String)]) {
        if settings.isEmpty { return nil }
        command = .applying(settings, untilCommit: true)
    }

    /// Runs `commands`, which begin outside a transaction, with the settings in force; results and
    /// positions of errors are as if they were not there.
    ///
    /// They go after a `BEGIN`; else first, since without one everything up to the end of the
    /// pipeline is one transaction.
    func applied(
        to commands: [PostgresCommand],
        _ run: ([PostgresCommand]) throws(PostgresError) -> [PostgresResult]
    ) throws(PostgresError) -> [PostgresResult] {
        let begins = commands.first.map { TransactionEffect(sql: $0.statement.sql) } == .begins
        let place = begins ? 1 : 0
        var all = commands
        all.insert(command, at: place)
        do {
            var results = try run(all)
            results.remove(at: place)
            return results
        } catch {
            var error = error
            if let index = error.commandIndex, index >= place {
                error.commandIndex = index == place ? nil : index - 1
            }
            throw error
        }
    }
}
