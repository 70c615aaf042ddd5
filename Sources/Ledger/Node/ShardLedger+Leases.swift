import Domain
import Logging
import Postgres

/// Lease orders, upkeep and the end of a shard's work.
extension ShardLedger {
    /// Carries out one order and lets the book act on the answer.
    func carryOut(_ order: LeaseOrder) async {
        let lane = change { state, _ in state.lane.key }
        let clerk = lane.map { lane in LeaseClerk(lane: lane) { [random] in random.positive() } }
        let reply = if let clerk { await ask(clerk, order) } else { LeaseReply.failed }
        let now = clock.uptime
        change { state, wakeups in
            state.ordersUnderWay -= 1
            // A lane that was fenced meanwhile took its leases along.
            guard state.lane.key == lane else { return }
            var effects = LeaseBook.Effects()
            state.book.replied(reply, to: order, at: now, &effects)
            if state.isDraining { state.book.drain(&effects) }
            state.apply(effects, &wakeups)
        }
    }

    /// Asks the ledger, and when the answer is lost, asks what became of it, a few times.
    private func ask(_ clerk: LeaseClerk, _ order: LeaseOrder) async -> LeaseReply {
        do {
            return try await pools.clerks.run { connection throws(PostgresError) in
                try clerk.carryOut(order, connection)
            }
        } catch {
            logger.warning("a lease order's answer was lost", metadata: ["error": "\(error)"])
        }
        var backOff = BackOff()
        for _ in 0..<Self.repairAttempts {
            do {
                return try await pools.clerks.run { connection throws(PostgresError) in
                    try clerk.repair(order, connection)
                }
            } catch {
                await pause(backOff.next(random: random.bits()))
            }
        }
        noteSilence()
        guard case .giveBack(let units, _) = order.action else { return .failed }
        return .returned(size: order.grantedBefore - units, remaining: 0)
    }

    /// Attempts over about a second: those who wait for a lease wait no longer.
    private static let repairAttempts = 8

    /// A tick: ends waits whose time is up.
    func tick() {
        let now = clock.uptime
        change { state, wakeups in state.expire(at: now, &wakeups) }
    }

    /// One beat of the lane, and what it brings: the ledger's time, the number of live nodes,
    /// recalls. Then the book and the rate limits are tidied.
    func beat() async {
        guard let lane = change({ state, _ in state.lane.key }) else { return }
        let sent = clock.uptime
        do {
            let (beat, recalls) = try await pools.clerks.run { connection throws(PostgresError) in
                (
                    try connection.execute(LaneStatements.beat(lane)),
                    try connection.execute(LaneStatements.recalls(lane))
                )
            }
            try heard(beat, recalls, sent: sent)
        } catch {
            noteSilence()
            logger.warning("heartbeat failed", metadata: ["error": "\(error)"])
        }
    }

    private func heard(
        _ beat: PostgresResult, _ recalls: PostgresResult, sent: Uptime
    ) throws(PostgresError) {
        let received = clock.uptime
        // No row: fenced. The next batch learns it too; the lane's loop is the one to act.
        guard let row = beat.rows.first else { return }
        clock.observe(
            Timestamp(microseconds: try row.timestamp(0)), sent: sent, received: received)
        let liveNodes = max(1, try row.int8(1))
        var generations: [AccountID: Int64] = [:]
        for row in recalls.rows {
            generations[AccountID(rawValue: try row.int8(0))] = try row.int8(1)
        }
        change { state, wakeups in
            if state.lane.inFlight == nil { state.silentSince = nil }
            state.book.liveNodes = liveNodes
            state.book.recalled(generations)
            var effects = LeaseBook.Effects()
            if !state.isDraining { state.book.maintain(at: received, &effects) }
            state.limiter.forgetIdle(at: received)
            state.apply(effects, &wakeups)
        }
    }

    // MARK: The end

    func beginDrain() {
        change { state, _ in state.isDraining = true }
        continueDrain()
    }

    /// Gives back what has come free since.
    func continueDrain() {
        change { state, wakeups in
            var effects = LeaseBook.Effects()
            state.book.drain(&effects)
            state.apply(effects, &wakeups)
        }
    }

    /// Whether no request, row or lease of this node is left in the shard.
    var isDrained: Bool {
        change { state, _ in
            (state.isQuiet && state.book.isEmpty) || state.lane.key == nil
        }
    }

    /// Closes the lane, so that nobody has to sweep it. What is still open is settled at its bound
    /// by a sweep.
    func closeLane() async {
        guard let lane = change({ state, _ in state.lane.key }) else { return }
        do {
            try await pools.clerks.run { connection throws(PostgresError) in
                try LaneStart.close(lane, connection)
            }
        } catch {
            logger.warning("lane not closed; it will be swept", metadata: ["error": "\(error)"])
        }
    }
}
