import Domain

/// What a node sends to the ledger in one transaction.
struct Batch: Sendable {
    /// Its place in the lane: one more than the batch before.
    let sequence: Int64
    let openings: [Opening]
    let closings: [Closing]

    var count: Int { openings.count + closings.count }
}

/// A lane's decisions: which batch comes next, and what a reply, a lost connection or a fence
/// means. Pure; the shell does the sending. One batch is in flight at a time; while it commits the
/// next one gathers (group commit).
///
/// The protocol is an idempotent producer's: the ledger's `last_seq` is authoritative. A batch
/// whose answer was lost was applied iff `last_seq` has reached its sequence; otherwise it is sent
/// again unchanged.
struct LaneMachine {
    /// What the ledger's row of this lane says.
    struct Row: Sendable, Equatable {
        let epoch: UInt128
        let lastSequence: Int64
        let isLive: Bool
    }

    /// What to do about a batch whose answer was lost.
    enum Resumption {
        /// It was applied; only its results are unknown.
        case applied(Batch)
        /// It was not applied; send it again as it is.
        case resend(Batch)
        /// The lane was fenced: nothing of this epoch will be accepted any more.
        case fenced
    }

    /// What to do about a batch that the ledger refused.
    enum Rejection {
        /// Its rows will be sent one by one, so that one bad row does not hold up the others.
        case isolated
        /// This row is the bad one.
        case opening(Opening)
        case closing(Closing)
    }

    private(set) var key: LaneKey?
    private(set) var inFlight: Batch?
    private var nextSequence: Int64 = 1
    private var openings: [Opening] = []
    private var closings: [Closing] = []
    private var isolated = 0

    /// The most openings, and the most closings, of one batch.
    static let batchLimit = 256

    /// Rows that wait or are in flight.
    var backlog: Int { openings.count + closings.count + (inFlight?.count ?? 0) }

    mutating func enqueue(_ opening: Opening) { openings.append(opening) }

    mutating func enqueue(_ closing: Closing) { closings.append(closing) }

    /// Takes back an opening that was not sent yet. False when it is on its way, or gone.
    mutating func withdraw(opening id: RequestID) -> Bool {
        guard let index = openings.lastIndex(where: { $0.requestID == id }) else { return false }
        openings.remove(at: index)
        return true
    }

    /// The lane was opened, or opened anew, under `key`.
    mutating func opened(_ key: LaneKey) {
        self.key = key
        nextSequence = 1
        inFlight = nil
        isolated = 0
    }

    /// The next batch to send; nil while one is in flight, nothing waits, or the lane is closed.
    mutating func nextBatch() -> Batch? {
        guard key != nil, inFlight == nil, !openings.isEmpty || !closings.isEmpty else {
            return nil
        }
        let batch: Batch
        if isolated > 0 {
            // One row at a time, openings first, since a closing may need its opening.
            isolated -= 1
            batch =
                openings.isEmpty ? take(openings: 0, closings: 1) : take(openings: 1, closings: 0)
        } else {
            batch = take(
                openings: min(openings.count, Self.batchLimit),
                closings: openings.count > Self.batchLimit
                    ? 0 : min(closings.count, Self.batchLimit))
        }
        inFlight = batch
        return batch
    }

    /// The batch in flight was committed.
    mutating func committed() { inFlight = nil }

    /// The batch's answer was lost; `row` is what the ledger's lane row says since.
    mutating func resumed(_ row: Row?) -> Resumption {
        guard let key, let batch = inFlight, let row, row.epoch == key.epoch, row.isLive else {
            return .fenced
        }
        if row.lastSequence >= batch.sequence {
            inFlight = nil
            return .applied(batch)
        }
        return .resend(batch)
    }

    /// The ledger refused the batch for one of its rows (a check, a missing lease); nothing of it
    /// was applied.
    mutating func rejected() -> Rejection {
        guard let batch = inFlight else { return .isolated }
        inFlight = nil
        nextSequence = batch.sequence
        if batch.count > 1 {
            openings.insert(contentsOf: batch.openings, at: 0)
            closings.insert(contentsOf: batch.closings, at: 0)
            isolated = max(isolated, batch.count)
            return .isolated
        }
        if let opening = batch.openings.first { return .opening(opening) }
        if let closing = batch.closings.first { return .closing(closing) }
        return .isolated
    }

    /// The lane was fenced: hands out everything that waited or was in flight. None of it was
    /// applied, but for closings that the sweeper settled at their bound.
    mutating func fenced() -> (openings: [Opening], closings: [Closing]) {
        let lost = (
            (inFlight?.openings ?? []) + openings, (inFlight?.closings ?? []) + closings
        )
        key = nil
        inFlight = nil
        openings = []
        closings = []
        return lost
    }

    private mutating func take(openings openCount: Int, closings closeCount: Int) -> Batch {
        let batch = Batch(
            sequence: nextSequence, openings: Array(openings.prefix(openCount)),
            closings: Array(closings.prefix(closeCount)))
        openings.removeFirst(openCount)
        closings.removeFirst(closeCount)
        nextSequence += 1
        return batch
    }
}
