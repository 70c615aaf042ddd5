import Domain
import Logging
import Postgres

/// Opens this node's lane in a shard under a new epoch, and closes it. Plain blocking steps on one
/// connection.
struct LaneStart {
    let shard: Int16
    let node: Int64
    let settings: LedgerSettings
    /// What the shard must know before a record uses it.
    let names: CatalogNames
    let random: LedgerRandom
    /// What the process before this one left open; nothing once that is settled.
    let recovery: JournalRecovery
    /// Requests of this process that the ledger had accepted before it lost batches.
    let accepted: Set<RequestID>
    /// What this process itself has to tell the ledger after the fact, of an epoch that was fenced.
    let late: [LateRecord]
    /// Whether the ledger has refused a request for a lease that it does not have, or not so large.
    let hasLostLeases: Bool
    let logger: Logger

    /// A lane that is open.
    struct Opened: Sendable {
        let lane: LaneKey
        /// What the ledger was told of earlier epochs, and the journal may forget.
        let told: JournalRecovery
        /// Requests that still run and that the ledger does not know, for want of room: to be told
        /// at their end.
        var unbooked: [Opening] = []
        /// The epoch before.
        var previous: LaneKey?
    }

    /// Opens the lane. An earlier epoch of this node cannot be alive, since the node's folder is
    /// locked: it is fenced at once; what the journal knows of it is settled exactly and the rest
    /// at its bound; what the ledger has not seen is recorded against the leases that are still
    /// held; then these end.
    ///
    /// Throws when the ledger cannot be reached, or when two copies of this node's folder fight
    /// over the lane.
    func open(_ connection: any LedgerConnection) throws(PostgresError) -> Opened {
        try names.write(connection, shard: shard)
        // Of a server that is another one by the end, the lane is not confirmed.
        let timeline = try Self.timeline(connection)
        let fresh = LaneKey(shard: shard, node: node, epoch: random.epoch())
        if let row = try Self.read(connection, shard: shard, node: node) {
            return try renew(row, as: fresh, timeline, connection)
        }
        if let loss = recovery.journal.loss(nil, shard: shard) {
            // The ledger has lost even the lane: it begins where it once began, so that what is
            // told now counts for it.
            _ = try connection.execute(
                LaneStatements.insert(loss.first, timeline: TimelineStatements.none))
            let row = LaneMachine.Row(epoch: loss.first.epoch, lastSequence: 0, isLive: true)
            return try renew(row, as: fresh, timeline, connection)
        }
        let insert = LaneStatements.insert(fresh, timeline: timeline)
        guard !(try connection.execute(insert).rows.isEmpty) else {
            throw PostgresError(kind: .invalid(reason: "the lane appeared while it was opened"))
        }
        return Opened(lane: fresh, told: recovery)
    }

    private func renew(
        _ row: LaneMachine.Row, as fresh: LaneKey, _ timeline: Int64,
        _ connection: any LedgerConnection
    ) throws(PostgresError) -> Opened {
        let old = LaneKey(shard: shard, node: node, epoch: row.epoch)
        Failpoint.pass("start.before-fence")
        if row.isLive { _ = try connection.execute(LaneStatements.fence(old, silentFor: .zero)) }
        _ = try connection.execute(TimelineStatements.present(old))
        Failpoint.pass("start.after-fence")
        let (recovery, unbooked) = try settle(old, row, connection)
        Failpoint.pass("start.before-renew")
        let renewed = try connection.execute(
            LaneStatements.renew(old, epoch: fresh.epoch, timeline: timeline))
        guard !renewed.rows.isEmpty else {
            throw PostgresError(
                kind: .invalid(reason: "another process opened this node's lane at the same time"))
        }
        Failpoint.pass("start.after-renew")
        return Opened(lane: fresh, told: recovery, unbooked: unbooked, previous: old)
    }

    /// Tells the ledger all that happened under earlier epochs. What can be forgotten once the new
    /// epoch is open.
    private func settle(
        _ old: LaneKey, _ row: LaneMachine.Row, _ connection: any LedgerConnection
    ) throws(PostgresError) -> (JournalRecovery, unbooked: [Opening]) {
        let recovery = try recovery.covering(
            row, accepted: accepted, acceptsLoss: settings.acceptsOlderLedger)
        try recovery.close(connection)
        let records = recovery.lateRecords + late
        let lanes = Set(recovery.lanes + [old])
        for lane in lanes.sorted(by: { $0.epoch < $1.epoch }) {
            try Sweep(lane: lane).settleRequests(connection)
        }
        Failpoint.pass("start.before-late")
        let unbooked = try LateBooking(
            shard: shard, node: node, lost: recovery.hasLoss || hasLostLeases ? old : nil,
            fenceAfter: settings.fenceAfter, logger: logger
        ).run(records, connection)
        Failpoint.pass("start.before-leases")
        try Self.endLeases(shard: shard, node: node, connection)
        Failpoint.pass("start.before-correct")
        try recovery.correct(connection)
        Failpoint.pass("start.before-forget")
        return (recovery, unbooked)
    }

    /// Ends what the node still holds under epochs that are over.
    static func endLeases(
        shard: Int16, node: Int64, _ connection: any LedgerConnection
    ) throws(PostgresError) {
        for row in try connection.execute(SweepStatements.held(shard: shard, node: node)).rows {
            let lane = LaneKey(shard: shard, node: node, epoch: try row.uuid(2))
            _ = try connection.execute(
                ReturnStatement.end(
                    lane, account: AccountID(rawValue: try row.int8(0)),
                    lease: LeaseID(rawValue: try row.int8(1))))
        }
    }

    /// Closes the lane for good. Nothing of it may be open.
    ///
    /// With `endingLeases` the ledger has been told everything that this node spent. A lease that
    /// is there all the same came from a grant whose answer was lost; nobody would end it, since a
    /// sweep keeps for the node's journal what could have been spent in an outage.
    static func close(
        _ lane: LaneKey, endingLeases: Bool, _ connection: any LedgerConnection
    ) throws(PostgresError) {
        _ = try connection.execute(LaneStatements.fence(lane, silentFor: .zero))
        guard endingLeases else { return }
        try endLeases(shard: lane.shard, node: lane.node, connection)
        _ = try connection.execute(TimelineStatements.release(lane))
    }

    private static func timeline(
        _ connection: any LedgerConnection
    ) throws(PostgresError) -> Int64 {
        guard let row = try connection.execute(TimelineStatements.timeline).rows.first else {
            throw PostgresError(kind: .decoding(reason: "the server has no timeline"))
        }
        return try row.int8(0)
    }

    /// What the ledger's row of a lane says; nil when there is none.
    static func read(
        _ connection: any LedgerConnection, shard: Int16, node: Int64
    ) throws(PostgresError) -> LaneMachine.Row? {
        let result = try connection.execute(LaneStatements.read(shard: shard, node: node))
        guard let row = result.rows.first else { return nil }
        return LaneMachine.Row(
            epoch: try row.uuid(0), lastSequence: try row.int8(1), isLive: try row.bool(2))
    }

    /// What the ledger's row of a lane says, once everything it says is replicated.
    ///
    /// After a lost or unconfirmed commit a batch may be visible that the synchronous standby does
    /// not have yet, and that a failover would take back. A commit of our own that the standby has
    /// confirmed vouches for all before it; throws while it has not.
    static func readConfirmed(
        _ lane: LaneKey, _ connection: any LedgerConnection
    ) throws(PostgresError) -> LaneMachine.Row? {
        _ = try connection.execute(LaneStatements.beat(lane))
        return try read(connection, shard: lane.shard, node: lane.node)
    }
}

/// Settles what a dead lane left behind: W2 and W3. Repeatable, by any node, at any time after the
/// fence.
struct Sweep {
    let lane: LaneKey

    /// What a sweep did.
    struct Outcome: Equatable {
        var settledRequests: Int64 = 0
        var endedLeases = 0
        /// Leases kept for the dead node's journal: it may have spent them in an outage.
        var keptLeases = 0
    }

    /// Settles every open request at its bound and ends the leases, or keeps them.
    @discardableResult
    func run(_ connection: any LedgerConnection) throws(PostgresError) -> Outcome {
        var outcome = Outcome(settledRequests: try settleRequests(connection))
        Failpoint.pass("sweep.settled")
        for row in try connection.execute(SweepStatements.leases(lane)).rows {
            let account = AccountID(rawValue: try row.int8(0))
            let lease = LeaseID(rawValue: try row.int8(1))
            if try row.bool(2) {
                let fold = ReturnStatement.fold(shard: lane.shard, account: account, lease: lease)
                _ = try connection.execute(fold)
                outcome.keptLeases += 1
            } else {
                let end = ReturnStatement.end(lane, account: account, lease: lease)
                outcome.endedLeases += try connection.execute(end).rows.count
            }
            Failpoint.pass("sweep.lease-done")
        }
        return outcome
    }

    /// W2: settles every open request at its bound; says how many.
    @discardableResult
    func settleRequests(_ connection: any LedgerConnection) throws(PostgresError) -> Int64 {
        var settled: Int64 = 0
        while true {
            let row = try connection.execute(SweepStatements.settle(lane)).rows.first
            let count = try row?.int8(0) ?? 0
            if count == 0 { return settled }
            settled += count
        }
    }
}
