import Domain

@testable import Ledger

/// A node's disk: the journal's bytes and the progress words, as they are in the page cache.
// Unchecked: a simulation runs on one thread from its first job to its last.
final class SimulatedDisk: @unchecked Sendable {
    var bytes: [UInt8] = []
    var progress: [UInt64] = []
    /// Where what is on the disk itself ends.
    var synced = 0
    /// The machine's life.
    private(set) var boot: UInt64 = 1

    /// The power goes: what was not flushed is lost, and so is every progress word.
    func losePower(_ random: inout SeededRandom) {
        let kept = synced + random.below(bytes.count - synced + 1)
        bytes.removeLast(bytes.count - kept)
        for index in progress.indices {
            progress[index] = random.chance(1, of: 2) ? 0 : progress[index]
        }
        boot += 1
    }
}

/// The journal in memory: the product's records and its replay, without files.
///
/// Transcribed from `FileJournal`: what is written when, and which slots are free. Segments are not
/// simulated.
// Unchecked: a simulation runs on one thread from its first job to its last.
final class MemoryJournal: RecoverableJournal, @unchecked Sendable {
    let replay: JournalReplay
    private let boot: BootID
    private let process: SimulatedProcess
    /// Nil once the process is dead.
    private var disk: SimulatedDisk?
    private let words: [UInt64]
    private var slots: [RequestID: UInt32] = [:]
    private var free: [UInt32] = []
    private var nextSequence: UInt64
    /// Where the records end that say so of requests that rode out an outage.
    private var ridesFrom: [RequestID: Int] = [:]
    private let mutation: Mutation?
    private(set) var closed: Set<RequestID> = []
    private(set) var opened: Set<RequestID> = []
    private var lanes: [Int16: [LaneKey]]
    private var confirmed: [LaneKey: Int64]

    init(_ disk: SimulatedDisk, _ process: SimulatedProcess, _ mutation: Mutation?) {
        self.mutation = mutation
        self.disk = disk
        self.process = process
        boot = BootID(rawValue: mutation == .powerLossUnnoticed ? 1 : disk.boot)
        var replay = JournalReplay(from: 1)
        _ = replay.read(segment: disk.bytes)
        self.replay = replay
        nextSequence = replay.nextSequence
        // A torn record is cleared, so that the next replay finds a clean end there.
        disk.bytes.removeLast(disk.bytes.count - Self.end(of: disk.bytes, before: nextSequence))
        lanes = replay.lanes
        confirmed = replay.confirmed
        words = disk.progress
        for (id, request) in replay.unfinished { slots[id] = request.slot }
        let taken = Set(slots.values)
        free = (0..<UInt32(disk.progress.count)).filter { !taken.contains($0) }
    }

    /// Whether a request goes on without the ledger's word and the disk itself has that.
    func vouches(for id: RequestID) -> Bool {
        guard let disk, let end = ridesFrom[id] else { return false }
        return disk.synced >= end
    }

    func detach() { disk = nil }

    func end(of request: JournalReplay.Unfinished) -> Settlement? {
        let word = Int(request.slot) < words.count ? words[Int(request.slot)] : 0
        return request.end(progress: ProgressWord.usage(word), now: boot)
    }

    func opened(_ opening: Opening, lane: LaneKey) -> Bool {
        guard let disk else { return true }
        if free.isEmpty {
            free.append(UInt32(disk.progress.count))
            disk.progress.append(0)
        }
        let slot = free.removeLast()
        disk.progress[Int(slot)] = 0
        slots[opening.requestID] = slot
        let write = { [self] in
            append(.opened(opening, lane: lane, slot: slot, boot: boot))
            opened.insert(opening.requestID)
        }
        if mutation == .journalAfterDispatch {
            process.kernel.after(5000, write)
        } else {
            write()
        }
        return true
    }

    func progressed(_ id: RequestID, usage: TokenUsage) {
        guard let disk, let slot = slots[id], mutation != .journalWithoutProgress else { return }
        disk.progress[Int(slot)] = ProgressWord.make(usage)
    }

    func rode(_ id: RequestID) -> Bool {
        append(.rode(id))
        ridesFrom[id] = disk?.bytes.count
        return true
    }

    /// A flush takes as long as a disk's.
    func sync() async -> Bool {
        let written = disk?.bytes.count ?? 0
        await process.pause(.microseconds(200))
        guard let disk else { return false }
        if mutation == .outageWithoutFlush { return true }
        disk.synced = max(disk.synced, written)
        return true
    }

    var hasFailed: Bool { false }

    /// This disk never fails.
    func failure() async {
        while !Task.isCancelled, !process.isDead { await process.pause(.seconds(3600)) }
    }

    func closed(_ closing: Closing) {
        closed.insert(closing.requestID)
        append(.closed(closing.requestID, closing.settlement))
    }

    func laneOpened(_ lane: LaneKey) {
        lanes[lane.shard, default: []].append(lane)
        append(.laneOpened(lane))
    }

    func loss(_ row: LaneMachine.Row?, shard: Int16) -> LedgerLoss? {
        guard mutation != .asynchronousSettlements else { return nil }
        return LedgerLoss(row: row, lanes: lanes[shard] ?? [], confirmed: confirmed)
    }

    /// This journal forgets nothing.
    func reaches(back loss: LedgerLoss) -> Bool { true }

    func everything(in loss: LedgerLoss) -> JournalReplay {
        var replay = JournalReplay(from: 1, keeping: loss)
        _ = replay.read(segment: disk?.bytes ?? [])
        return replay
    }

    func confirmed(_ lane: LaneKey, sequence: Int64, finished: [RequestID]) {
        if sequence > 0 { confirmed[lane] = max(confirmed[lane] ?? 0, sequence) }
        append(.confirmed(lane, sequence: sequence, finished: finished))
        for id in finished {
            if let slot = slots.removeValue(forKey: id) { free.append(slot) }
        }
    }

    /// Where the records before `sequence` end.
    private static func end(of bytes: [UInt8], before sequence: UInt64) -> Int {
        var position = 0
        for _ in 1..<sequence {
            var header = ByteDecoder(bytes[position..<(position + 4)])
            position += 8 + Int((try? header.read(UInt32.self)) ?? 0)
        }
        return position
    }

    private func append(_ record: JournalRecord) {
        guard let disk else { return }
        disk.bytes += record.encoded(sequence: nextSequence)
        nextSequence += 1
    }
}
