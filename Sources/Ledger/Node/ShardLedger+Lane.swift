import Domain
import Logging
import Postgres
import Synchronization

/// The lane's loop: opens the lane, sends batch after batch, and deals with lost answers, refused
/// rows and the fence.
extension ShardLedger {
    /// Runs until the node drains. Never gives up on the ledger: whatever is queued is sent when it
    /// is back.
    func runLane() async {
        var backOff = BackOff()
        while !isStopped {
            change { state, _ in state.isOpeningLane = true }
            do {
                let sent = clock.uptime
                let opened = try await openLane()
                let lane = opened.lane
                // Under the new epoch, which was opened after all of it: whoever loses some of it
                // loses that too.
                journal.laneOpened(lane)
                opened.told.confirm(under: lane)
                Failpoint.pass("start.forgotten")
                hasRecovered.store(true, ordering: .relaxed)
                let now = clock.uptime
                change { state, wakeups in
                    state.unbooked(opened)
                    state.laneOpened(lane, at: now, sent: sent, &wakeups)
                }
                logger.debug("lane open", metadata: ["node": "\(node)"])
                backOff.reset()
                if await sendBatches(lane) { return }
            } catch {
                logger.warning("lane not open", metadata: ["error": "\(error)"])
                change { state, _ in state.isOpeningLane = false }
                noteSilence(after: error)
                if isAbandoned { return }
                await pause(backOff.next(random: random.bits()))
            }
        }
    }

    /// Opens the lane, and asks for the ledger's time before anything is admitted through it: a
    /// host whose clock is a day ahead would take tomorrow's quota today.
    private func openLane() async throws(PostgresError) -> LaneStart.Opened {
        try await pools.lanes.run { [start, clock] connection throws(PostgresError) in
            let opened = try start.open(connection)
            let sent = clock.uptime
            let beat = try connection.execute(LaneStatements.beat(opened.lane))
            // No row: fenced already, which the first batch will hear.
            if let row = beat.rows.first {
                clock.observe(
                    Timestamp(microseconds: try row.timestamp(0)), sent: sent,
                    received: clock.uptime)
            }
            return opened
        }
    }

    private var start: LaneStart {
        LaneStart(
            shard: shard, node: node, settings: settings, names: names.current,
            random: random,
            recovery: hasRecovered.load(ordering: .relaxed)
                ? .ofNothing(journal: journal, shard: shard) : recovery,
            accepted: change { state, _ in state.acceptedBeforeLoss },
            late: change { state, _ in state.heldLate },
            hasLostLeases: change { state, _ in state.hasLostLeases }, logger: logger)
    }

    private var isStopped: Bool { change { state, _ in state.isStopped } }

    /// A node that drains does not wait for a ledger that never comes.
    private var isAbandoned: Bool {
        change { state, _ in state.isDraining && state.lane.key == nil }
    }

    /// Sends batches under one epoch. True when the node drained; false when the lane was fenced.
    private func sendBatches(_ lane: LaneKey) async -> Bool {
        while true {
            switch await nextStep() {
            case .drained: return true
            case .fenced: return false
            case .send(let batch):
                if await !deliver(batch, lane) { return false }
            }
        }
    }

    private enum Step {
        case send(Batch)
        case drained
        /// The lane is gone, as a heartbeat found.
        case fenced
    }

    /// The next batch, once there is one.
    private func nextStep() async -> Step {
        while true {
            let now = clock.uptime
            let step = change { state, _ -> Step? in
                if state.isStopped { return .drained }
                if state.lane.key == nil { return .fenced }
                if let batch = state.lane.nextBatch() {
                    state.silence.sent(at: now)
                    return .send(batch)
                }
                return state.isDraining && state.isQuiet ? .drained : nil
            }
            if let step { return step }
            await withCheckedContinuation { continuation in
                // The change below resumes at once if work came in between.
                change { state, _ in state.idleLoop = continuation }
            }
        }
    }

    /// Sends one batch until the ledger has taken it, refused a row of it, or fenced the lane
    /// (false).
    private func deliver(_ batch: Batch, _ lane: LaneKey) async -> Bool {
        var backOff = BackOff()
        while !isStopped {
            do {
                Failpoint.pass("before-batch")
                let results = try await pools.lanes.run { connection throws(PostgresError) in
                    try connection.pipeline(Self.commands(batch, lane))
                }
                Failpoint.pass("after-commit")
                try commit(batch, lane, results)
                return true
            } catch {
                switch await recover(from: error, batch, lane) {
                case .done: return true
                case .fenced: return false
                case .again: await pause(backOff.next(random: random.bits()))
                }
            }
        }
        return true
    }

    private static func commands(_ batch: Batch, _ lane: LaneKey) -> [PostgresCommand] {
        var commands = [
            PostgresCommand(LaneStatements.begin, []), FenceStatement.command(lane, batch),
        ]
        commands += BatchPlan.commands(rows: batch.count)
        if !batch.openings.isEmpty {
            commands.append(OpenStatement.command(lane, batch.openings))
            commands += UserStatements.afterOpening(lane, batch.openings)
        }
        if !batch.closings.isEmpty {
            commands += AttemptStatements.before(lane, batch.closings)
            commands += CloseStatement.commands(
                lane, batch.closings, makesRollups: batch.makesRollups)
            commands += AttemptStatements.after(lane, batch.closings)
        }
        commands.append(PostgresCommand(LaneStatements.commit, []))
        return commands
    }

    private func commit(
        _ batch: Batch, _ lane: LaneKey, _ results: [PostgresResult]
    ) throws(PostgresError) {
        var accepted: Set<RequestID> = []
        var settled: Set<RequestID> = []
        var index = 2 + BatchPlan.commands(rows: batch.count).count
        if !batch.openings.isEmpty {
            accepted = try OpenStatement.accepted(in: results[index])
            index += 1 + UserStatements.afterOpening(lane, batch.openings).count
        }
        if !batch.closings.isEmpty {
            index += AttemptStatements.before(lane, batch.closings).count
            if batch.makesRollups { index += 1 }
            settled = try CloseStatement.settled(in: results[index])
        }
        finish(batch, lane, accepted: accepted, settled: settled)
    }

    private func finish(
        _ batch: Batch, _ lane: LaneKey, accepted: Set<RequestID>, settled: Set<RequestID>
    ) {
        let now = clock.uptime
        change { state, wakeups in
            // A heartbeat may have heard of a fence while the answer was on its way.
            guard state.lane.key == lane else { return }
            state.lane.committed(settled: settled)
            state.committed(batch, accepted: accepted, settled: settled, at: now, &wakeups)
        }
    }

    private enum Recovery {
        /// The batch is dealt with.
        case done
        case again
        case fenced
    }

    /// What to do after a batch failed, by what failed.
    private func recover(
        from error: PostgresError, _ batch: Batch, _ lane: LaneKey
    ) async -> Recovery {
        // Command 1 is S1: its division by zero is the fence, or this very batch applied before.
        // Elsewhere, a bad value (class 22) or a broken constraint (23) is a row's own fault. All
        // else is weather: a full disk, a time-out, a lock.
        if let state = error.sqlState, error.commandIndex != 1,
            state.hasPrefix("22") || state.hasPrefix("23")
        {
            refuse(batch, error: error, sqlState: state)
            return .done
        }
        if error.sqlState != "22012" { noteSilence(after: error) }
        do {
            let row = try await pools.lanes.run { connection throws(PostgresError) in
                try LaneStart.readConfirmed(lane, connection)
            }
            let resumption = change { state, _ in state.lane.resumed(row) }
            switch resumption {
            case .resend: return .again
            case .applied(let batch):
                let (open, settled) = try await outcome(of: batch)
                finish(batch, lane, accepted: open.union(settled), settled: settled)
                return .done
            case .fenced:
                let now = clock.uptime
                let isNews = change { state, wakeups in
                    // A heartbeat may have found the same, or a loss, before.
                    guard state.lane.key == lane else { return false }
                    state.fenced(at: now, &wakeups)
                    return true
                }
                if isNews {
                    logger.error(
                        "this node was fenced; it starts anew", metadata: ["node": "\(node)"])
                }
                return .fenced
            case .forgotten:
                noteLoss(of: lane)
                return .fenced
            }
        } catch {
            logger.warning("the ledger does not answer", metadata: ["error": "\(error)"])
            return .again
        }
    }

    /// The batch was applied and its results were lost: asks the rows themselves.
    private func outcome(
        of batch: Batch
    ) async throws(PostgresError) -> (open: Set<RequestID>, settled: Set<RequestID>) {
        let ids = batch.openings.map(\.requestID) + batch.closings.map(\.requestID)
        let days = clock.now.day
        // A request may have been admitted before midnight, or long ago while the ledger was away.
        let first = CalendarDay(rawValue: days.rawValue - 2)
        let command = ResumeStatements.known(shard: shard, ids, from: first, to: days.next)
        var open: Set<RequestID> = []
        var settled: Set<RequestID> = []
        let rows = try await pools.lanes.run { connection throws(PostgresError) in
            try connection.execute(command)
        }.rows
        for row in rows {
            let id = RequestID(rawValue: try row.uuid(0))
            if try row.bool(1) { settled.insert(id) } else { open.insert(id) }
        }
        return (open, settled)
    }

    /// The ledger refused a row for good: alone it is set aside, among others they are sent one by
    /// one.
    private func refuse(_ batch: Batch, error: PostgresError, sqlState: String) {
        logger.error(
            "the ledger refused a batch",
            metadata: [
                "sqlstate": "\(sqlState)", "error": "\(error.debugDescription)",
                "rows": "\(batch.count)",
            ])
        let now = clock.uptime
        // A division by zero, or a lease's CHECK: the lease is not what this node believes, because
        // a failover took a grant, or an operator wrote the node off.
        let isLease = sqlState == "22012" || sqlState == "23514"
        change { state, wakeups in
            state.silence.batchAnswered(at: now)
            if isLease, batch.count == 1, !batch.openings.isEmpty {
                state.hasLostLeases = true
                return state.fenced(at: now, &wakeups)
            }
            let rejection = state.lane.rejected()
            state.quarantined(rejection, at: now, &wakeups)
        }
    }

    /// The ledger has lost batches that it had confirmed.
    func noteLoss(of lane: LaneKey) {
        logger.critical(
            "the ledger lost what it had confirmed; the journal tells it again",
            metadata: ["node": "\(node)"])
        let now = clock.uptime
        change { state, wakeups in
            if state.lane.key == lane { state.fenced(at: now, &wakeups) }
        }
    }

    /// A question had no answer. One that lost against another transaction (class 40) had: the
    /// ledger is there.
    func noteSilence(after error: PostgresError) {
        if error.sqlState?.hasPrefix("40") == true { return }
        let now = clock.uptime
        change { state, wakeups in
            state.silence.failed(at: now)
            ride(&state, at: now, &wakeups)
        }
    }

    func pause(_ duration: Duration) async {
        // Cancelled only when the process is forced to stop: then trying again at once does no
        // harm.
        await clock.wait(duration)
    }
}

/// Exponential waits from 5 ms to 1 s with full jitter, so that nodes do not return together.
struct BackOff {
    private var ceiling: Int64 = 5_000

    mutating func next(random: UInt64) -> Duration {
        let wait = Int64(random % UInt64(ceiling)) + 1
        ceiling = min(ceiling * 2, 1_000_000)
        return .microseconds(wait)
    }

    mutating func reset() { ceiling = 5_000 }
}
