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
    /// After how long a silent node is not waited for.
    let fenceAfter: Duration
    let logger: Logger

    /// Records all of them that the ledger does not know. Their epochs must be fenced and swept of
    /// reservations, and their leases still held. Gives back those that still run and for whose
    /// bound there is no room: they are recorded at their end, when they need less.
    ///
    /// Throws, to be repeated, where there is no room while other nodes may hold, by the ledger's
    /// word, what they gave back before a failover.
    func run(
        _ records: [LateRecord], _ connection: any LedgerConnection
    ) throws(PostgresError) -> [Opening] {
        var unbooked: [Opening] = []
        var rest = try unknown(records, connection)[...]
        if lost != nil { try trimLeases(to: Array(rest), connection) }
        while !rest.isEmpty {
            let batch = Array(rest.prefix(LaneMachine.batchLimit))
            rest = rest.dropFirst(LaneMachine.batchLimit)
            do {
                try book(batch, connection)
            } catch {
                guard Self.isRefusal(error) else { throw error }
                if lost != nil { try requireConfirmed(connection) }
                for record in batch where try !bookAlone(record, connection) {
                    unbooked.append(record.opening)
                }
            }
        }
        return unbooked
    }

    /// What a ledger with a loss does not know: nothing is granted again for the rest.
    private func unknown(
        _ records: [LateRecord], _ connection: any LedgerConnection
    ) throws(PostgresError) -> [LateRecord] {
        let days = records.map(\.opening.admittedAt.day)
        guard lost != nil, let first = days.min(), let last = days.max() else { return records }
        var known: Set<RequestID> = []
        var rest = records[...]
        while !rest.isEmpty {
            let ids = rest.prefix(LaneMachine.batchLimit).map(\.opening.requestID)
            rest = rest.dropFirst(LaneMachine.batchLimit)
            let command = ResumeStatements.known(shard: shard, ids, from: first, to: last)
            for row in try connection.execute(command).rows {
                known.insert(RequestID(rawValue: try row.uuid(0)))
            }
        }
        return records.filter { !known.contains($0.opening.requestID) }
    }

    /// Gives back what the ledger says this node holds beyond what `records` need: a failover may
    /// have lost the return of it, and another node may have been granted and have spent it since.
    private func trimLeases(
        to records: [LateRecord], _ connection: any LedgerConnection
    ) throws(PostgresError) {
        let needs = RegrantStatement.needs(of: records)
        for row in try connection.execute(SweepStatements.held(shard: shard, node: node)).rows {
            let account = AccountID(rawValue: try row.int8(0))
            let lease = LeaseID(rawValue: try row.int8(1))
            let lane = LaneKey(shard: shard, node: node, epoch: try row.uuid(2))
            guard let need = needs[lease]?.units else {
                _ = try connection.execute(
                    ReturnStatement.end(lane, account: account, lease: lease))
                continue
            }
            let fold = ReturnStatement.fold(shard: shard, account: account, lease: lease)
            guard let size = try connection.execute(fold).rows.first?.int8(0), size > need else {
                continue
            }
            _ = try connection.execute(
                ReturnStatement.giveBack(
                    lane, account: account, lease: lease, units: size - need, of: size))
        }
    }

    private func requireConfirmed(_ connection: any LedgerConnection) throws(PostgresError) {
        do {
            _ = try connection.execute(
                TimelineStatements.require(shard: shard, exempt: node, silentFor: fenceAfter))
        } catch {
            throw error.sqlState == "22012" ? .unconfirmedGrants : error
        }
    }

    /// Records all, or throws. After a loss, what leases lack is granted again in the same
    /// transaction, as far as the limits allow.
    private func book(
        _ records: [LateRecord], _ connection: any LedgerConnection
    ) throws(PostgresError) {
        let attempts = AttemptStatements.after(shard: shard, records)
        if lost == nil, attempts.isEmpty {
            let command = LateStatement.command(shard: shard, node: node, records)
            return try note(connection.execute(command))
        }
        let before =
            [PostgresCommand(LaneStatements.begin, [])]
            + (lost.map { RegrantStatement.commands($0, for: records) } ?? [])
        let late = LateStatement.command(
            shard: shard, node: node, records, needsLeases: lost != nil)
        let results = try connection.pipeline(
            before + [late] + attempts + [PostgresCommand(LaneStatements.commit, [])])
        try note(results[before.count])
    }

    private func note(_ result: PostgresResult) throws(PostgresError) {
        let recorded = try LateStatement.recorded(in: result)
        guard !recorded.isEmpty else { return }
        logger.notice(
            "requests of an outage were recorded late", metadata: ["requests": "\(recorded.count)"])
    }

    /// A grant that a failover lost may have been given to another node: such a request is recorded
    /// without a charge to that account, so that the limit holds and an operator can see it; or not
    /// yet (false), while it runs.
    private func bookAlone(
        _ record: LateRecord, _ connection: any LedgerConnection
    ) throws(PostgresError) -> Bool {
        do {
            try book([record], connection)
            return true
        } catch {
            guard Self.isRefusal(error) else { throw error }
        }
        if record.isRunning { return false }
        logger.error(
            "a late request is beyond its leases; it is recorded without a charge",
            metadata: [
                "request": "\(record.opening.requestID)", "tokens": "\(record.charge.tokens)",
            ])
        do {
            // To the accounts whose leases do cover it, if the others' are gone.
            try bookPart(record, connection)
        } catch {
            guard Self.isRefusal(error) else { throw error }
            try bookPart(LateRecord(uncharged: record), connection)
        }
        return true
    }

    /// Records one, charged to the accounts whose leases are there.
    private func bookPart(
        _ record: LateRecord, _ connection: any LedgerConnection
    ) throws(PostgresError) {
        let late = LateStatement.command(shard: shard, node: node, [record])
        let attempts = AttemptStatements.after(shard: shard, [record])
        if attempts.isEmpty { return try note(connection.execute(late)) }
        let results = try connection.pipeline(
            [PostgresCommand(LaneStatements.begin, []), late] + attempts
                + [PostgresCommand(LaneStatements.commit, [])])
        try note(results[1])
    }

    /// Whether the ledger refused a row, rather than being away or busy.
    private static func isRefusal(_ error: PostgresError) -> Bool {
        guard let state = error.sqlState else { return false }
        return state.hasPrefix("22") || state.hasPrefix("23")
    }
}
