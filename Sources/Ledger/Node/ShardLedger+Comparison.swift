import Domain
import Logging
import Postgres

/// After a failover: whether the ledger has all that this node holds.
extension ShardLedger {
    /// Compares this node's leases with those of a server that was promoted, whose `standing` says
    /// that the lane is of an earlier one. If the server has lost something the node starts anew and
    /// tells it; otherwise the lane is confirmed, and once all are, the ledger grants again.
    func compare(
        _ lane: LaneKey, _ confirmed: Int64, _ standing: PostgresResult
    ) async throws(PostgresError) {
        guard let row = standing.rows.first else { return }
        if try row.bool(2) {
            // Of a confirmation that was made, only the answer may have been lost.
            return change { state, wakeups in
                if state.isComparing { state.releaseOrders(&wakeups) }
            }
        }
        let timeline = try row.int8(1)
        guard await holdOrders(of: lane) else { return }
        let rows = try await pools.clerks.run { connection throws(PostgresError) in
            try connection.execute(TimelineStatements.leases(lane))
        }.rows
        var sizes: [LeaseID: Int64] = [:]
        for row in rows { sizes[LeaseID(rawValue: try row.int8(0))] = try row.int8(1) }
        let hasAll = change { state, _ in
            let hasAll = state.lane.key == lane && state.book.agrees(with: sizes)
            if !hasAll, state.lane.key == lane { state.hasLostLeases = true }
            return hasAll
        }
        guard try row.int8(0) >= confirmed, hasAll else { return noteLoss(of: lane) }
        _ = try await pools.clerks.run { connection throws(PostgresError) in
            try connection.execute(TimelineStatements.confirm(lane, timeline: timeline))
        }
        logger.notice("this node's leases are the promoted ledger's too")
        change { state, wakeups in
            if state.lane.key == lane { state.releaseOrders(&wakeups) }
        }
    }

    /// Waits until no order is under way, and holds those that come. False when some are under way
    /// still: the next beat tries again.
    private func holdOrders(of lane: LaneKey) async -> Bool {
        for _ in 0..<Self.looks {
            let isQuiet = change { state, _ in
                guard state.lane.key == lane else { return false }
                state.isComparing = true
                return state.ordersUnderWay == 0
            }
            if isQuiet { return true }
            await clock.wait(Self.look)
        }
        return false
    }

    private static let looks = 20
    private static let look: Duration = .milliseconds(25)
}
