import Domain

/// What a node sends to the ledger in one transaction.
struct Batch: Sendable {
    /// Its place in the lane: one more than the batch before.
    let sequence: Int64
    let openings: [Opening]
    let closings: [Closing]
    /// Corrections that the ledger has carried out before, and that it has for good once it has
    /// this batch.
    var corrected: [RequestID] = []
    /// Whether rows of the rollup may be missing, in which its closings are counted.
    var makesRollups = true

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
        /// The ledger has lost batches that it had confirmed: a failover to a server that had not
        /// received them.
        case forgotten
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
    private var openings = RowQueue<Opening>()
    private var closings = RowQueue<Closing>()
    /// Openings that wait to be sent, suspects included. One that is withdrawn leaves this set at
    /// once, and the queue when its turn comes.
    private var waiting: Set<RequestID> = []
    /// Requests that went on without the ledger's word and whose opening it has not taken yet.
    private var rode: Set<RequestID> = []
    /// Corrections that the ledger has carried out, and no batch after them yet: a failover that
    /// lost one would not show in the lane's row.
    private var corrected: [Closing] = []
    /// Rows of a refused batch: sent one by one, before anything else.
    private var suspects: (openings: [Opening], closings: [Closing]) = ([], [])
    /// The rows of the rollup that are there.
    private var rollups = RollupRows()

    /// The most openings, and the most closings, of one batch, unless a node is set up otherwise.
    static let batchLimit = 256
    var batchLimit = LaneMachine.batchLimit

    /// Rows that wait or are in flight.
    var backlog: Int {
        waiting.count + closings.count + suspects.closings.count + corrected.count
            + (inFlight?.count ?? 0)
    }

    mutating func enqueue(_ opening: Opening) {
        openings.append(opening)
        waiting.insert(opening.requestID)
    }

    mutating func enqueue(_ closing: Closing) { closings.append(closing) }

    /// The ledger has corrected a swept request; the next batch, empty if need be, seals it.
    mutating func corrected(_ closing: Closing) { corrected.append(closing) }

    /// Takes back an opening that was not sent yet. False when it is on its way, or gone.
    mutating func withdraw(opening id: RequestID) -> Bool {
        guard waiting.remove(id) != nil else { return false }
        rode.remove(id)
        return true
    }

    /// Whether an opening still waits to be sent.
    func isWaiting(_ id: RequestID) -> Bool { waiting.contains(id) }

    /// The request goes on without the ledger's word: its opening must be taken, whatever becomes
    /// of its key.
    mutating func ride(_ id: RequestID) { rode.insert(id) }

    /// Whether the ledger has yet to take the opening of a request that went on without it.
    func isRiding(_ id: RequestID) -> Bool { rode.contains(id) }

    /// The ledger has the opening.
    mutating func accepted(_ id: RequestID) { rode.remove(id) }

    /// The lane was opened, or opened anew, under `key`.
    mutating func opened(_ key: LaneKey) {
        self.key = key
        nextSequence = 1
        inFlight = nil
        rollups.forget()
    }

    /// The next batch to send; nil while one is in flight, nothing waits, or the lane is closed.
    mutating func nextBatch() -> Batch? {
        guard key != nil, inFlight == nil else { return nil }
        // Openings first: a suspect closing may need a suspect opening.
        while !suspects.openings.isEmpty {
            let suspect = suspects.openings.removeFirst()
            if waiting.contains(suspect.requestID) { return send([suspect], []) }
        }
        if !suspects.closings.isEmpty { return send([], [suspects.closings.removeFirst()]) }
        var opened: [Opening] = []
        repeat {
            opened = openings.take(batchLimit).filter { waiting.contains($0.requestID) }
        } while opened.isEmpty && !openings.isEmpty
        for opening in opened { waiting.remove(opening.requestID) }
        // A closing whose opening still waits would find nothing to close.
        let closed = closings.take(batchLimit) { !waiting.contains($0.requestID) }
        guard !opened.isEmpty || !closed.isEmpty || !corrected.isEmpty else { return nil }
        return send(opened, closed)
    }

    private mutating func send(_ openings: [Opening], _ closings: [Closing]) -> Batch {
        var openings = openings
        for index in openings.indices {
            waiting.remove(openings[index].requestID)
            openings[index].rode = rode.contains(openings[index].requestID)
        }
        let batch = Batch(
            sequence: nextSequence, openings: openings, closings: closings,
            corrected: corrected.map(\.requestID), makesRollups: !rollups.hold(closings))
        nextSequence += 1
        inFlight = batch
        return batch
    }

    /// The last batch that the ledger has confirmed.
    var confirmedSequence: Int64 { (inFlight?.sequence ?? nextSequence) - 1 }

    /// The batch in flight was committed, which settled these requests.
    mutating func committed(settled: Set<RequestID> = []) {
        if let batch = inFlight, batch.makesRollups {
            rollups.learn(batch.closings.lazy.filter { settled.contains($0.requestID) })
        }
        corrected.removeFirst(inFlight?.corrected.count ?? 0)
        inFlight = nil
    }

    /// The batch's answer was lost; `row` is what the ledger's lane row says since.
    mutating func resumed(_ row: Row?) -> Resumption {
        guard let key, let batch = inFlight, let row, row.epoch == key.epoch, row.isLive else {
            return .fenced
        }
        // In flight until its results are known: that question may fail too.
        if row.lastSequence >= batch.sequence { return .applied(batch) }
        if row.lastSequence < batch.sequence - 1 { return .forgotten }
        return .resend(batch)
    }

    /// The ledger refused the batch for one of its rows (a check, a missing lease) or for a row of
    /// the rollup that is gone; nothing of it was applied.
    mutating func rejected() -> Rejection {
        guard let batch = inFlight else { return .isolated }
        inFlight = nil
        rollups.forget()
        nextSequence = batch.sequence
        let mayLackRollups = !batch.closings.isEmpty && !batch.makesRollups
        if batch.count > 1 || mayLackRollups {
            suspects.openings += batch.openings
            waiting.formUnion(batch.openings.map(\.requestID))
            suspects.closings += batch.closings
            return .isolated
        }
        if let opening = batch.openings.first { return .opening(opening) }
        if let closing = batch.closings.first { return .closing(closing) }
        return .isolated
    }

    /// The lane was fenced: hands out everything that waited or was in flight. None of it was
    /// applied, but for closings that the sweeper settled at their bound. What seals corrections is
    /// gone with the epoch.
    mutating func fenced() -> (openings: [Opening], closings: [Closing]) {
        let waiting = (suspects.openings + openings.takeAll()).filter {
            self.waiting.contains($0.requestID)
        }
        let lost = (
            (inFlight?.openings ?? []) + waiting,
            (inFlight?.closings ?? []) + suspects.closings + closings.takeAll()
        )
        corrected = []
        key = nil
        inFlight = nil
        self.waiting = []
        suspects = ([], [])
        return lost
    }
}
