import Domain
import Postgres

/// Carries out one lease order at the ledger: the I/O of ``LeaseBook``, as plain blocking steps on
/// one connection. One order per account is under way at a time, each statement is its own
/// transaction, and nothing is held between them.
struct LeaseClerk: Sendable {
    let lane: LaneKey
    let randomID: @Sendable () -> Int64

    /// Carries out an order. When it throws, the order may have been carried out all the same:
    /// ``repair(_:_:)`` tells.
    func carryOut(
        _ order: LeaseOrder, _ connection: any LedgerConnection
    ) throws(PostgresError) -> LeaseReply {
        switch order.action {
        case .grow(let want, let least): try grow(order, want: want, least: least, connection)
        case .giveBack(let units, false): try giveBack(order, units: units, connection)
        case .giveBack(_, true): try end(order, connection)
        }
    }

    /// What became of an order whose answer was lost, read from the lease's absolute size.
    ///
    /// Until the ledger answers, nothing is known and it throws; the caller asks again or gives up.
    func repair(
        _ order: LeaseOrder, _ connection: any LedgerConnection
    ) throws(PostgresError) -> LeaseReply {
        // A grant that is visible but not replicated must not be used: see `readConfirmed`.
        _ = try connection.execute(LaneStatements.beat(lane))
        let rows = try connection.execute(
            ReturnStatement.read(shard: lane.shard, lease: order.lease)
        ).rows
        guard let row = rows.first else {
            // No lease: a grant did not happen, or the lease was ended.
            return order.isGrowth ? .failed : .returned(size: 0, remaining: 0)
        }
        let size = try row.int8(0)
        guard !order.isGrowth else {
            return size > order.grantedBefore
                ? .granted(
                    AccountID(rawValue: try row.int8(2)), size: size, remaining: try row.int8(1))
                : .failed
        }
        // A lease that was to be ended and is there was not ended. What a partial return did cannot
        // be told from what a fold did.
        return order.isEnd ? .notReturned(size: size) : .unknown
    }

    private func grow(
        _ order: LeaseOrder, want: Int64, least: Int64, _ connection: any LedgerConnection
    ) throws(PostgresError) -> LeaseReply {
        var account = order.accountID
        if account == nil || order.refreshesLimit {
            let ensured = try connection.execute(
                GrowStatement.ensure(
                    shard: lane.shard, account: order.account, candidate: randomID()))
            // None: the quota was cleared meanwhile. The directory lags and will follow.
            guard let row = ensured.rows.first else { return .failed }
            account = AccountID(rawValue: try row.int8(0))
        }
        guard let account else { return .failed }
        let granted = try connection.execute(
            GrowStatement.grow(
                lane, account: account, lease: order.lease, want: want, least: least,
                rides: order.rides))
        if let row = granted.rows.first {
            return .granted(account, size: try row.int8(0), remaining: try row.int8(1))
        }
        let rows = try connection.execute(
            GrowStatement.status(shard: lane.shard, account: account)
        ).rows
        guard let row = rows.first else { return .failed }
        let status = try GrowStatement.decodeStatus(row)
        // There is enough, and it was refused all the same: the lane is not live.
        guard status.remaining < least else { return .failed }
        if order.mayRecall, status.used + status.reserved + least <= status.limit {
            _ = try connection.execute(
                LaneStatements.recall(shard: lane.shard, account: account.rawValue))
        }
        return .refused(account, status)
    }

    private func giveBack(
        _ order: LeaseOrder, units: Int64, _ connection: any LedgerConnection
    ) throws(PostgresError) -> LeaseReply {
        guard let account = order.accountID else { return .failed }
        let folded = try connection.execute(
            ReturnStatement.fold(shard: lane.shard, account: account, lease: order.lease))
        guard let row = folded.rows.first else { return .notReturned(size: order.grantedBefore) }
        let size = try row.int8(0)
        guard units > 0 else { return .returned(size: size, remaining: try row.int8(1)) }
        let returned = try connection.execute(
            ReturnStatement.giveBack(lane, account: account, lease: order.lease, units: units))
        guard let row = returned.rows.first else { return .notReturned(size: size) }
        return .returned(size: try row.int8(0), remaining: try row.int8(1))
    }

    /// Ends the lease: returns what is free whatever this node believes, and drops the row.
    private func end(
        _ order: LeaseOrder, _ connection: any LedgerConnection
    ) throws(PostgresError) -> LeaseReply {
        guard let account = order.accountID else { return .failed }
        let ended = try connection.execute(
            ReturnStatement.end(lane, account: account, lease: order.lease))
        if let row = ended.rows.first { return .returned(size: 0, remaining: try row.int8(0)) }
        let rows = try connection.execute(
            ReturnStatement.read(shard: lane.shard, lease: order.lease)
        ).rows
        // No row: it is gone already. A row: a request of this lease is still open in the ledger.
        guard let row = rows.first else { return .returned(size: 0, remaining: 0) }
        return .notReturned(size: try row.int8(0))
    }
}

extension LeaseOrder {
    var isGrowth: Bool {
        if case .grow = action { true } else { false }
    }

    var isEnd: Bool {
        if case .giveBack(_, forget: true) = action { true } else { false }
    }
}
