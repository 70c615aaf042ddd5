import Domain
import Logging
import Postgres

/// Records after the fact what the ledger has not seen: requests that ran in an outage under an
/// epoch that was fenced, or whose opening a failover lost. Plain blocking steps on one connection,
/// each repeatable.
struct LateBooking {
    let shard: Int16
    let node: Int64
    /// The lane of which the ledger has lost batches, and then perhaps grants too; nil when it has
    /// not.
    let lost: LaneKey?
    let logger: Logger

    /// Records all of them that the ledger does not know. Their epochs must be fenced and swept of
    /// reservations, and their leases still held. Gives back those that still run and for whose
    /// bound there is no room: they are recorded at their end, when they need less.
    func run(
        _ records: [LateRecord], _ connection: any LedgerConnection
    ) throws(PostgresError) -> [Opening] {
        var unbooked: [Opening] = []
        var rest = records[...]
        while !rest.isEmpty {
            let batch = Array(rest.prefix(LaneMachine.batchLimit))
            rest = rest.dropFirst(batch.count)
            do {
                try regrant(for: batch, connection)
                try book(batch, connection)
            } catch {
                guard Self.isRefusal(error) else { throw error }
                for record in batch where try !bookAlone(record, connection) {
                    unbooked.append(record.opening)
                }
            }
        }
        return unbooked
    }

    /// What leases lack that a failover took is granted again, as far as the limits allow.
    private func regrant(
        for records: [LateRecord], _ connection: any LedgerConnection
    ) throws(PostgresError) {
        guard let lost else { return }
        for command in RegrantStatement.commands(lost, for: records) {
            _ = try connection.execute(command)
        }
    }

    private func book(
        _ records: [LateRecord], _ connection: any LedgerConnection
    ) throws(PostgresError) {
        let result = try connection.execute(
            LateStatement.command(shard: shard, node: node, records))
        let recorded = try LateStatement.recorded(in: result)
        guard !recorded.isEmpty else { return }
        logger.notice(
            "requests of an outage were recorded late", metadata: ["requests": "\(recorded.count)"])
    }

    /// A grant that a failover lost may have been given to another node: such a request is recorded
    /// without a charge, so that the limit holds and an operator can see it; or not yet (false),
    /// while it runs.
    private func bookAlone(
        _ record: LateRecord, _ connection: any LedgerConnection
    ) throws(PostgresError) -> Bool {
        do {
            try regrant(for: [record], connection)
            try book([record], connection)
            return true
        } catch {
            guard Self.isRefusal(error) else { throw error }
            if record.isRunning { return false }
            logger.error(
                "a late request is beyond its leases; it is recorded without a charge",
                metadata: [
                    "request": "\(record.opening.requestID)", "tokens": "\(record.charge.tokens)",
                ])
            try book([LateRecord(uncharged: record)], connection)
            return true
        }
    }

    /// Whether the ledger refused a row, rather than being away or busy.
    private static func isRefusal(_ error: PostgresError) -> Bool {
        guard let state = error.sqlState else { return false }
        return state.hasPrefix("22") || state.hasPrefix("23")
    }
}
