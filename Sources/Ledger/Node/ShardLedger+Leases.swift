import Domain
import Logging
import Postgres

/// Lease orders, upkeep and the end of a shard's work.
extension ShardLedger {
    /// Carries out one order, made under `lane`, and lets the book act on the answer.
    func carryOut(_ order: LeaseOrder, under lane: LaneKey) async {
        let clerk = LeaseClerk(lane: lane, fenceAfter: settings.fenceAfter) { [random] in
            random.positive()
        }
        let reply = await ask(clerk, order)
        let now = clock.uptime
        change { state, wakeups in
            // A lane that was fenced meanwhile took its leases along.
            guard state.lane.key == lane else { return }
            state.ordersUnderWay -= 1
            guard let reply else { return state.send([order], &wakeups) }
            var effects = LeaseBook.Effects()
            state.book.replied(reply, to: order, at: now, &effects)
            if state.isDraining { state.book.drain(&effects) }
            state.apply(effects, &wakeups)
        }
    }

    /// Asks the ledger. When an answer is lost, asks what became of the order, and if nothing did,
    /// orders again. Nil when nobody is granted anything before this node has compared itself with
    /// the ledger: the order is held until then.
    private func ask(_ clerk: LeaseClerk, _ order: LeaseOrder) async -> LeaseReply? {
        var backOff = BackOff()
        var mayHaveHappened = false
        for attempt in 0..<Self.attempts {
            do {
                return try await pools.clerks.run { connection throws(PostgresError) in
                    try clerk.carryOut(order, isRepeated: attempt > 0, connection)
                }
            } catch {
                if error.isUnconfirmedGrants, !mayHaveHappened,
                    change({ state, _ in state.isComparing })
                {
                    return nil
                }
                logger.warning("a lease order's answer was lost", metadata: ["error": "\(error)"])
                mayHaveHappened = mayHaveHappened || !error.leftNothing
                guard error.isRetryable || error.isAmbiguous else { break }
                if attempt > 0 { noteSilence(after: error) }
            }
            await pause(backOff.next(random: random.bits()))
        }
        return mayHaveHappened ? .unknown : .failed
    }

    /// Attempts over about a second: those who wait for a lease wait no longer.
    private static let attempts = 8

    /// Sets a swept request right, or tells the ledger of one that it does not know, once it
    /// answers. The journal keeps it until then.
    func correct(_ closing: Closing) async {
        let unbooked = change { state, _ in state.unbooked[closing.requestID] }
        var backOff = BackOff()
        while !Task.isCancelled {
            do {
                if let (opening, lane) = unbooked {
                    try await book(LateRecord(opening, settled: closing.settlement), of: lane)
                } else {
                    let correction = Correction(shard: shard, closing: closing)
                    try await pools.clerks.run { connection throws(PostgresError) in
                        try correction.run(connection)
                    }
                }
                change { state, _ in
                    state.unbooked[closing.requestID] = nil
                    state.lane.corrected(closing)
                }
                return
            } catch {
                guard error.isRetryable || error.isAmbiguous else {
                    logger.error(
                        "a swept request could not be corrected",
                        metadata: ["request": "\(closing.requestID)", "error": "\(error)"])
                    // It stays in the journal.
                    change { state, _ in state.correcting[closing.requestID] = nil }
                    return
                }
                await pause(backOff.next(random: random.bits()))
            }
        }
    }

    /// Records a request that the ledger lost while it ran, at its end, and gives back what its
    /// leases had too much.
    private func book(_ record: LateRecord, of lane: LaneKey) async throws(PostgresError) {
        guard record.settlement.basis != .void else { return }
        let booking = LateBooking(
            shard: shard, node: node, lost: lane, fenceAfter: settings.fenceAfter, logger: logger)
        try await pools.clerks.run { [shard, node] connection throws(PostgresError) in
            _ = try booking.run([record], connection)
            try LaneStart.endLeases(shard: shard, node: node, connection)
        }
    }

    /// A tick: ends waits whose time is up.
    func tick() {
        let now = clock.uptime
        change { state, wakeups in
            ride(&state, at: now, &wakeups)
            state.expire(at: now, &wakeups)
        }
    }

    /// One beat of the lane, and what it brings: the ledger's time, the number of live nodes,
    /// recalls. Then the book is tidied.
    func beat() async {
        let known = change { state, _ in
            state.book.beatSent()
            return state.lane.key.map { ($0, state.lane.confirmedSequence) }
        }
        guard let (lane, confirmed) = known else { return }
        let sent = clock.uptime
        do {
            let (beat, recalls, standing) = try await pools.clerks.run {
                connection throws(PostgresError) in
                (
                    try connection.execute(LaneStatements.beat(lane)),
                    try connection.execute(LaneStatements.recalls(lane)),
                    try connection.execute(TimelineStatements.standing(lane))
                )
            }
            if let row = beat.rows.first, try row.int8(2) < confirmed { return noteLoss(of: lane) }
            try heard(beat, recalls, of: lane, sent: sent)
            try await compare(lane, confirmed, standing)
        } catch {
            noteSilence(after: error)
            logger.warning("heartbeat failed", metadata: ["error": "\(error)"])
        }
    }

    private func heard(
        _ beat: PostgresResult, _ recalls: PostgresResult, of lane: LaneKey, sent: Uptime
    ) throws(PostgresError) {
        let received = clock.uptime
        guard let row = beat.rows.first else {
            // No row: fenced. A node without traffic learns it here, and its lane's loop opens
            // anew.
            logger.error("this node was fenced; it starts anew", metadata: ["node": "\(node)"])
            change { state, wakeups in
                if state.lane.key == lane { state.fenced(at: received, &wakeups) }
            }
            return
        }
        // A long round trip says little about the time.
        if received - sent < .seconds(1) {
            clock.observe(
                Timestamp(microseconds: try row.timestamp(0)), sent: sent, received: received)
        }
        let liveNodes = max(1, try row.int8(1))
        var generations: [AccountID: Int64] = [:]
        var used: [AccountID: Int64] = [:]
        for row in recalls.rows {
            let account = AccountID(rawValue: try row.int8(0))
            generations[account] = try row.int8(1)
            let units = try row.int8(2)
            if units >= 0 { used[account] = units }
        }
        change { state, wakeups in
            state.silence.answered(at: received, sent: sent)
            state.book.liveNodes = liveNodes
            state.rates.liveNodes = liveNodes
            state.book.heardUse(used)
            state.book.recalled(generations, at: received)
            var effects = LeaseBook.Effects()
            if !state.isDraining { state.book.maintain(at: received, &effects) }
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

    /// No more is sent: who still waits is told, and the lane's loop ends. What is not in the
    /// ledger is in the journal.
    func stop() {
        change { state, wakeups in
            state.isStopped = true
            state.failAll(&wakeups)
        }
    }

    /// Whether no request, row or lease of this node is left in the shard.
    var isDrained: Bool {
        change { state, _ in
            state.lane.key == nil
                ? !state.isOpeningLane : state.isQuiet && state.book.isEmpty
        }
    }

    /// Closes the lane, so that nobody has to sweep it. What is still open is settled at its bound
    /// by a sweep.
    func closeLane() async {
        let (key, hasToldAll) = change { state, _ in
            (state.lane.key, state.isQuiet && state.heldLate.isEmpty)
        }
        guard let lane = key else { return }
        do {
            try await pools.clerks.run { connection throws(PostgresError) in
                try LaneStart.close(lane, endingLeases: hasToldAll, connection)
            }
        } catch {
            logger.warning("lane not closed; it will be swept", metadata: ["error": "\(error)"])
        }
    }
}

extension PostgresError {
    /// Whether it is certain that the failed command changed nothing.
    fileprivate var leftNothing: Bool {
        switch kind {
        case .ambiguous, .decoding: false
        case .connection, .server, .timeout, .invalid, .overloaded, .cancelled: true
        }
    }
}
