import Domain

/// What a journal says of the process that wrote it. Pure: bytes in, open requests out.
struct JournalReplay: Sendable {
    /// A request whose end the ledger had not confirmed.
    struct Unfinished: Sendable {
        let opening: Opening
        let lane: LaneKey
        /// Where its progress word is.
        let slot: UInt32
        /// The machine's life in which it was opened.
        let boot: BootID
        /// Whether it went on without the ledger's word.
        var rode = false
        /// What this node had settled it as, if it had.
        var settlement: Settlement?

        /// How it ended: its settlement, or else its progress. A request without either delivered
        /// nothing. Nil when nobody can know, since the machine lost its memory: it ends at its
        /// bound.
        func end(progress: TokenUsage?, now boot: BootID) -> Settlement? {
            if let settlement { return settlement }
            guard self.boot.isSameLife(as: boot) else { return nil }
            // A progress word tells no classes: where there may have been sound, all of it was.
            let used = progress?.withAudio(
                prompt: opening.price?.audioPrompt == nil ? 0 : .max,
                completion: opening.price?.audioCompletion == nil ? 0 : .max)
            return Settlement(
                usage: used ?? .none, basis: progress == nil ? .void : .recovered,
                endState: progress == nil ? .failedBeforeFirstByte : .nodeLost,
                timeToFirstToken: nil, duration: .zero)
        }

        /// What to close it with, should its reservation still be in the ledger.
        func closing(as settlement: Settlement) -> Closing {
            Closing(
                requestID: opening.requestID, claims: opening.claims,
                charge: Charge(settlement, bound: opening.bound, price: opening.price),
                settlement: settlement, admittedAt: opening.admittedAt)
        }
    }

    /// A request whose end the ledger had confirmed, and with which batch of which lane; 0 when
    /// with none of its own, but before the lane's first.
    struct Finished: Sendable {
        let request: Unfinished
        let lane: LaneKey
        let sequence: Int64
    }

    /// By request, in no order.
    private(set) var unfinished: [RequestID: Unfinished] = [:]
    /// In the order of their ends; only those that a loss covers.
    private(set) var finished: [Finished] = []
    private let kept: LedgerLoss?
    /// The node's last lanes of each shard, in the order in which they were opened.
    private(set) var lanes: [Int16: [LaneKey]] = [:]
    /// The last batch of each lane whose requests the journal does not hold any more.
    private(set) var forgotten: [LaneKey: Int64] = [:]
    /// The highest batch of each lane that the ledger confirmed.
    private(set) var confirmed: [LaneKey: Int64] = [:]
    /// The sequence of the next record.
    private(set) var nextSequence: UInt64
    /// Whether the end of what was read is a record that is torn or damaged, and not simply the
    /// end.
    private(set) var endsDamaged = false

    /// The shards of which something is known.
    var shards: Set<Int16> {
        Set(unfinished.values.map(\.lane.shard)).union(confirmed.keys.map(\.shard))
    }

    /// More lives than a node has within the time that the journal reaches back.
    static let keptLanes = 16

    /// Starts before the record `sequence`.
    init(from sequence: UInt64, keeping kept: LedgerLoss? = nil) {
        nextSequence = sequence
        self.kept = kept
    }

    /// Reads one segment, up to its end or its first bad record. False when nothing after this
    /// segment may be read: the chain is broken here.
    mutating func read(segment: [UInt8]) -> Bool {
        var position = 0
        while position + JournalRecord.headerBytes <= segment.count {
            var header = ByteDecoder(segment[position..<(position + 8)])
            guard let length = try? header.read(UInt32.self), length > 0 else { return true }
            let body = (position + 8)..<(position + 8 + Int(min(length, 1 << 20)))
            guard let checksum = try? header.read(UInt32.self), length >= 9,
                length <= JournalRecord.maximumBytes, body.upperBound <= segment.count,
                CRC32C.checksum(segment[body]) == checksum,
                // A record that is whole but does not follow is of an older life of these bytes.
                let (sequence, record) = try? JournalRecord.decode(segment[body]),
                sequence == nextSequence
            else {
                endsDamaged = true
                return false
            }
            apply(record)
            nextSequence += 1
            position = body.upperBound
        }
        return true
    }

    private mutating func apply(_ record: JournalRecord) {
        switch record {
        case .opened(let opening, let lane, let slot, let boot):
            unfinished[opening.requestID] = Unfinished(
                opening: opening, lane: lane, slot: slot, boot: boot)
        case .rode(let id):
            unfinished[id]?.rode = true
        case .closed(let id, let settlement):
            unfinished[id]?.settlement = settlement
        case .confirmed(let lane, let sequence, let finished):
            // Zero says that requests are over without a batch of their own.
            if sequence > 0 { confirmed[lane] = max(confirmed[lane] ?? 0, sequence) }
            for id in finished {
                guard let request = unfinished.removeValue(forKey: id),
                    kept?.covers(lane, sequence) == true
                else { continue }
                self.finished.append(Finished(request: request, lane: lane, sequence: sequence))
            }
        case .laneOpened(let lane):
            var known = (lanes[lane.shard] ?? []).filter { $0 != lane }
            known.append(lane)
            lanes[lane.shard] = known.suffix(Self.keptLanes)
        case .forgotten(let lane, let sequence):
            forgotten[lane] = max(forgotten[lane] ?? 0, sequence)
        }
    }
}

/// A progress word: what a request will have used once the bytes at hand are delivered. Prompt and
/// completion share one aligned 64-bit store, so that a kill never tears them; zero is "nothing
/// yet".
enum ProgressWord {
    static func make(_ usage: TokenUsage) -> UInt64 {
        UInt64(UInt32(clamping: usage.prompt)) << 32 | UInt64(UInt32(clamping: usage.completion))
    }

    static func usage(_ word: UInt64) -> TokenUsage? {
        word == 0
            ? nil
            : TokenUsage(prompt: Int64(word >> 32), completion: Int64(word & 0xFFFF_FFFF))
    }
}
