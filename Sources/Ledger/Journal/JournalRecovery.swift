import Domain
import Postgres

/// Settles what a dead process left open, exactly, from its journal: closes each request with its
/// own settlement or its progress, and corrects once what a sweep had charged at the bound.
///
/// Plain blocking steps on one connection, each repeatable: a recovery that dies is simply done
/// again.
struct JournalRecovery {
    let journal: FileJournal
    let shard: Int16

    /// The lanes of this shard under which requests were left open.
    var lanes: [LaneKey] {
        Array(Set(journal.replay.unfinished.values.map(\.lane).filter { $0.shard == shard }))
    }

    /// Throws when the ledger has forgotten batches that this node knows it had confirmed: it was
    /// restored from a backup, or a failover lost them. Going on would charge requests twice or
    /// never.
    func checkAge(of row: LaneMachine.Row?) throws(LedgerStartError) {
        for (lane, sequence) in journal.replay.confirmed where lane.shard == shard {
            guard let row else { throw Self.olderLedger("it does not know this node") }
            if row.epoch == lane.epoch, row.lastSequence < sequence {
                throw Self.olderLedger(
                    "its last batch of this node is \(row.lastSequence), the journal has \(sequence)"
                )
            }
        }
    }

    private static func olderLedger(_ detail: String) -> LedgerStartError {
        LedgerStartError(
            "the ledger is older than this node's journal: \(detail). Was it restored from a backup? "
                + "Start with --accept-older-ledger to go on with what the ledger has.")
    }

    /// Settles everything that was open under `lane`, which is fenced.
    func settle(_ lane: LaneKey, _ connection: PostgresConnection) throws(PostgresError) {
        let closings = journal.replay.unfinished.values.filter { $0.lane == lane }
            .map { $0.closing(progress: journal.progress(of: $0.slot)) }
            .sorted { $0.requestID.rawValue < $1.requestID.rawValue }
        var rest = closings[...]
        while !rest.isEmpty {
            let batch = Array(rest.prefix(LaneMachine.batchLimit))
            rest = rest.dropFirst(batch.count)
            // Closes what the ledger holds open; what it never accepted, or settled already,
            // deletes nothing.
            _ = try connection.execute(CloseStatement.command(lane, batch))
        }
        // What the journal does not know ends at its bound, and every lease comes back.
        try Sweep(lane: lane).run(connection)
        for closing in closings {
            try Correction(shard: shard, closing: closing).run(connection)
        }
        journal.confirmed(lane, sequence: 0, finished: closings.map(\.requestID))
    }
}

/// Corrects a swept request to what was really used, once per account.
struct Correction: Sendable {
    let shard: Int16
    let closing: Closing

    /// Harmless for a request that was not swept, or was corrected before. The lease that it was
    /// charged to must have been ended, so that the charge is in the account.
    func run(_ connection: PostgresConnection) throws(PostgresError) {
        for claim in closing.claims {
            _ = try connection.execute(
                CorrectStatement.command(
                    shard: shard, request: closing.requestID, day: closing.admittedAt.day,
                    account: claim.accountID,
                    amount: closing.charge.amount(of: claim.account.resource)))
        }
    }
}
