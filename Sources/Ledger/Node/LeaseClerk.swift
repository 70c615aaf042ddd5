import Domain
import Postgres

/// Carries out one lease order at the ledger: the I/O of ``LeaseBook``, as plain blocking steps on
/// one connection. One order per account is under way at a time, each statement is its own
/// transaction, and nothing is held between them.
struct LeaseClerk: Sendable {
    let lane: LaneKey
    /// After how long a silent node is not waited for.
    let fenceAfter: Duration
    let randomID: @Sendable () -> Int64

    /// Carries out an order, or finds that an earlier try did. When it throws, the order may have
    /// been carried out all the same; repeating it, as such, is safe.
    func carryOut(
        _ order: LeaseOrder, isRepeated: Bool, _ connection: any LedgerConnection
    ) throws(PostgresError) -> LeaseReply {
        if isRepeated, let reply = try repaired(order, connection) { return reply }
        return switch order.action {
        case .grow(let want, let least): try grow(order, want: want, least: least, connection)
        case .giveBack(_, forget: true): try end(order, connection)
        case .giveBack(0, _): try fold(order, connection)
        case .giveBack(let units, _): try giveBack(order, units: units, connection)
        case .look: try look(order, connection)
        }
    }

    /// The answer to an order whose first answer was lost, read from the lease's absolute size; nil
    /// when it was not carried out, or when doing it again changes nothing.
    private func repaired(
        _ order: LeaseOrder, _ connection: any LedgerConnection
    ) throws(PostgresError) -> LeaseReply? {
        guard let lease = try read(order, connection) else { return nil }
        return switch order.action {
        case .grow where lease.size > order.grantedBefore:
            .granted(lease.account, size: lease.size, remaining: lease.remaining)
        case .giveBack(1..., forget: false) where lease.size < order.grantedBefore:
            .returned(size: lease.size, remaining: lease.remaining)
        case .grow, .giveBack, .look: nil
        }
    }

    private func read(
        _ order: LeaseOrder, _ connection: any LedgerConnection
    ) throws(PostgresError) -> (account: AccountID, size: Int64, remaining: Int64)? {
        // A grant that is visible but not replicated must not be used: see `readConfirmed`.
        _ = try connection.execute(LaneStatements.beat(lane))
        let rows = try connection.execute(
            ReturnStatement.read(shard: lane.shard, lease: order.lease)
        ).rows
        guard let row = rows.first else { return nil }
        return (AccountID(rawValue: try row.int8(2)), try row.int8(0), try row.int8(1))
    }

    private func look(
        _ order: LeaseOrder, _ connection: any LedgerConnection
    ) throws(PostgresError) -> LeaseReply {
        guard let lease = try read(order, connection) else {
            return .found(nil, size: 0, remaining: 0)
        }
        return .found(lease.account, size: lease.size, remaining: lease.remaining)
    }

    private func grow(
        _ order: LeaseOrder, want: Int64, least: Int64, _ connection: any LedgerConnection
    ) throws(PostgresError) -> LeaseReply {
        var account = order.accountID
        if account == nil || order.refreshesLimit {
            // An account that a failover lost is made again under its old number, by the node that
            // knows it.
            let ensured = try confirmed(
                GrowStatement.ensure(
                    shard: lane.shard, account: order.account, candidate: randomID()), connection)
            // None: the quota was cleared meanwhile. The directory lags and will follow.
            guard let row = ensured.rows.first else { return .failed }
            account = AccountID(rawValue: try row.int8(0))
        }
        guard let account else { return .failed }
        let command = GrowStatement.grow(
            lane, account: account, lease: order.lease, want: want, least: least,
            rides: order.rides)
        // A refusal and the numbers that explain it are two looks at the account. When others gave
        // back in between there is enough by now, and it is asked for again.
        for _ in 0..<Self.tries {
            Failpoint.pass("before-grow")
            if let row = try confirmed(command, connection).rows.first {
                Failpoint.pass("after-grow")
                return .granted(
                    account, size: try row.int8(0), remaining: try row.int8(1),
                    generation: try row.int8(2))
            }
            let rows = try connection.execute(
                GrowStatement.status(shard: lane.shard, account: account)
            ).rows
            guard let row = rows.first else { return .failed }
            let status = try GrowStatement.decodeStatus(row)
            guard status.remaining < least else { continue }
            // Nothing is ever lacking of a soft quota: it was taken away, and the directory lags.
            if try row.bool(4) { return .failed }
            if order.mayRecall, status.used + status.reserved + least <= status.limit {
                _ = try connection.execute(
                    LaneStatements.recall(shard: lane.shard, account: account.rawValue))
            }
            return .refused(account, status)
        }
        // There is enough, and it was refused all the same: the lane is not live.
        return .failed
    }

    private static let tries = 4

    /// Runs a command if the ledger knows what every node holds; throws ``unconfirmedGrants``
    /// otherwise.
    private func confirmed(
        _ command: PostgresCommand, _ connection: any LedgerConnection
    ) throws(PostgresError) -> PostgresResult {
        let commands = [
            PostgresCommand(LaneStatements.begin, []),
            TimelineStatements.require(shard: lane.shard, exempt: nil, silentFor: fenceAfter),
            command, PostgresCommand(LaneStatements.commit, []),
        ]
        do {
            return try connection.pipeline(commands)[2]
        } catch {
            throw error.sqlState == "22012" && error.commandIndex == 1 ? .unconfirmedGrants : error
        }
    }

    private func fold(
        _ order: LeaseOrder, _ connection: any LedgerConnection
    ) throws(PostgresError) -> LeaseReply {
        guard let account = order.accountID else { return .failed }
        let folded = try connection.execute(
            ReturnStatement.fold(shard: lane.shard, account: account, lease: order.lease))
        guard let row = folded.rows.first else { return .failed }
        return .returned(size: try row.int8(0), remaining: try row.int8(1))
    }

    private func giveBack(
        _ order: LeaseOrder, units: Int64, _ connection: any LedgerConnection
    ) throws(PostgresError) -> LeaseReply {
        guard let account = order.accountID else { return .failed }
        let returned = try connection.execute(
            ReturnStatement.giveBack(
                lane, account: account, lease: order.lease, units: units, of: order.grantedBefore))
        Failpoint.pass("recall.after-return")
        if let row = returned.rows.first {
            return .returned(size: try row.int8(0), remaining: try row.int8(1))
        }
        // Open requests hold the units, or an earlier try of this order came through at last.
        return try repaired(order, connection) ?? .notReturned(size: order.grantedBefore)
    }

    /// Ends the lease: returns what is free whatever this node believes, and drops the row.
    private func end(
        _ order: LeaseOrder, _ connection: any LedgerConnection
    ) throws(PostgresError) -> LeaseReply {
        guard let account = order.accountID else { return .failed }
        let ended = try connection.execute(
            ReturnStatement.end(lane, account: account, lease: order.lease))
        Failpoint.pass("drain.lease-ended")
        if let row = ended.rows.first { return .returned(size: 0, remaining: try row.int8(0)) }
        let rows = try connection.execute(
            ReturnStatement.read(shard: lane.shard, lease: order.lease)
        ).rows
        // No row: it is gone already. A row: a request of this lease is still open in the ledger.
        guard let row = rows.first else { return .returned(size: 0, remaining: 0) }
        return .notReturned(size: try row.int8(0))
    }
}
