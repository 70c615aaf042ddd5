import Domain
import Postgres

/// Settles what a dead process left open, exactly, from its journal: closes each request with its
/// own settlement or its progress, records late what the ledger never saw, and corrects once what a
/// sweep had charged at the bound.
///
/// Plain blocking steps on one connection, each repeatable: a recovery that dies is simply done
/// again.
struct JournalRecovery {
    let journal: any RecoverableJournal
    let shard: Int16
    private let requests: [JournalReplay.Unfinished]
    /// Requests of this process that still run, and whose opening the ledger has lost.
    private let running: [Opening]
    /// Whether the ledger has lost something.
    let hasLoss: Bool

    /// What the process before this one left open.
    init(journal: any RecoverableJournal, shard: Int16) {
        self.init(
            journal, shard, journal.replay.unfinished.values.filter { $0.lane.shard == shard }, [],
            hasLoss: false)
    }

    private init(
        _ journal: any RecoverableJournal, _ shard: Int16, _ requests: [JournalReplay.Unfinished],
        _ running: [Opening], hasLoss: Bool
    ) {
        self.journal = journal
        self.shard = shard
        self.requests = requests.sorted {
            $0.opening.requestID.rawValue < $1.opening.requestID.rawValue
        }
        self.running = running
        self.hasLoss = hasLoss
    }

    /// The same and everything that the ledger has lost meanwhile, by its row of this node's lane.
    /// `accepted` are the requests that still run in this process, by the ledger's own word.
    ///
    /// Throws when the journal does not reach back so far, unless `acceptsLoss`.
    func covering(
        _ row: LaneMachine.Row, accepted: Set<RequestID>, acceptsLoss: Bool
    ) throws(PostgresError) -> JournalRecovery {
        guard let loss = journal.loss(row, shard: shard) else { return self }
        guard acceptsLoss || journal.reaches(back: loss) else {
            throw PostgresError(kind: .invalid(reason: Self.olderLedger("").description))
        }
        let replay = journal.everything(in: loss)
        let running = replay.unfinished.values.map(\.opening).filter {
            accepted.contains($0.requestID)
        }
        return JournalRecovery(
            journal, shard, requests + replay.finished.map(\.request), running, hasLoss: true)
    }

    /// A recovery of nothing that this process left, for ``covering(_:accepted:acceptsLoss:)``.
    static func ofNothing(journal: any RecoverableJournal, shard: Int16) -> JournalRecovery {
        JournalRecovery(journal, shard, [], [], hasLoss: false)
    }

    /// The lanes of this shard under which requests were left open.
    var lanes: [LaneKey] { Set(requests.map(\.lane)).sorted { $0.epoch < $1.epoch } }

    /// Throws when the ledger has forgotten batches that this node knows it had confirmed and cannot
    /// repeat: it was restored from a backup. Going on would charge requests twice or never.
    func checkAge(of row: LaneMachine.Row?) throws(LedgerStartError) {
        guard let row else {
            let isKnown = journal.replay.confirmed.keys.contains { $0.shard == shard }
            if isKnown { throw Self.olderLedger(": it does not know this node") }
            return
        }
        guard let loss = journal.loss(row, shard: shard), !journal.reaches(back: loss) else {
            return
        }
        throw Self.olderLedger(
            ": it has batches up to \(row.lastSequence) of an epoch of this node of which the journal"
                + " has more, and the journal does not reach back so far")
    }

    private static func olderLedger(_ detail: String) -> LedgerStartError {
        LedgerStartError(
            "the ledger is older than this node's journal\(detail). Was it restored from a backup? "
                + "Start with --accept-older-ledger to go on with what the ledger has.")
    }

    /// Closes what the ledger holds open, each request as it ended. What it never accepted, or
    /// settled already, deletes nothing. The lanes are fenced.
    func close(_ connection: any LedgerConnection) throws(PostgresError) {
        for lane in lanes {
            var rest = closings(of: lane)[...]
            while !rest.isEmpty {
                let batch = Array(rest.prefix(LaneMachine.batchLimit))
                rest = rest.dropFirst(batch.count)
                _ = try connection.pipeline(
                    [
                        PostgresCommand(LaneStatements.begin, []),
                        LaneStatements.count(lane, settled: batch.count),
                    ] + AttemptStatements.before(lane, batch)
                        + CloseStatement.commands(lane, batch, makesRollups: true)
                        + AttemptStatements.after(lane, batch) + [
                            PostgresCommand(LaneStatements.commit, [])
                        ])
                Failpoint.pass("start.batch-closed")
            }
        }
    }

    /// What to record should the ledger not know it: requests that delivered, and those that rode
    /// out an outage and whose end no memory holds.
    var lateRecords: [LateRecord] {
        requests.compactMap { request in
            guard let end = journal.end(of: request) else {
                return request.rode ? LateRecord(atBound: request.opening) : nil
            }
            return end.basis == .void ? nil : LateRecord(request.opening, settled: end)
        } + running.map { LateRecord(atBound: $0, isRunning: true) }
    }

    /// Corrects what a sweep charged at its bound, now that every lease has ended.
    func correct(_ connection: any LedgerConnection) throws(PostgresError) {
        for lane in lanes {
            for closing in closings(of: lane) {
                try Correction(shard: shard, closing: closing).run(connection)
            }
        }
    }

    /// Nothing more can happen to any of them, unless the ledger loses the epoch `lane`, before
    /// which it was told of them.
    func confirm(under lane: LaneKey) {
        var rest = requests.map(\.opening.requestID)[...]
        while !rest.isEmpty {
            journal.confirmed(
                lane, sequence: 0, finished: Array(rest.prefix(LaneMachine.batchLimit)))
            rest = rest.dropFirst(LaneMachine.batchLimit)
        }
    }

    private func closings(of lane: LaneKey) -> [Closing] {
        requests.filter { $0.lane == lane }.compactMap { request in
            journal.end(of: request).map(request.closing(as:))
        }
    }
}

/// Corrects a swept request to what was really used, once per account.
struct Correction: Sendable {
    let shard: Int16
    let closing: Closing

    /// Harmless for a request that was not swept, or was corrected before. The lease that it was
    /// charged to must have been ended, so that the charge is in the account.
    func run(_ connection: any LedgerConnection) throws(PostgresError) {
        for claim in closing.claims {
            _ = try connection.execute(
                CorrectStatement.command(
                    shard: shard, request: closing.requestID, day: closing.admittedAt.day,
                    account: claim.accountID,
                    amount: closing.charge.amount(of: claim.account.resource)))
        }
    }
}
