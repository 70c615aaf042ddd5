import Domain
import Synchronization

/// The journal on the node's disk: mapped, preallocated segments of checked records, and a table of
/// progress words.
///
/// A record costs a copy into the page cache; ``sync()`` is for outages. A segment is removed once
/// the ledger has confirmed the end of every request that was opened in it and all older ones are
/// gone.
final class FileJournal: RecoverableJournal {
    private struct Segment {
        let first: UInt64
        /// When its last request ended, as far as this process knows.
        var quietSince: Uptime
        /// The last batch of each lane that ended a request of it.
        var lastBatches: [LaneKey: Int64] = [:]
        /// Requests opened in it whose end is not confirmed.
        var unfinished = 0
    }

    private struct State: ~Copyable {
        var file: MappedFile
        let progress: MappedFile
        var offset = 0
        var nextSequence: UInt64
        /// Oldest first; the last one is written to.
        var segments: [Segment]
        var slots: [RequestID: (slot: UInt32, segment: UInt64)] = [:]
        var freeSlots: [UInt32]
        var confirmed: [LaneKey: Int64]
        var lanes: [Int16: [LaneKey]]
        var forgotten: [LaneKey: Int64]
        /// Where a record is put together: room for an opening with half a dozen claims.
        var scratch = ByteEncoder(capacity: 480)
    }

    /// What the process before this one left open.
    let replay: JournalReplay
    private let folder: SegmentFolder
    /// The node's folder and that of the segments.
    private let folders: [OpenFile]
    private let disk: JournalSync
    private let boot: BootID
    /// How long a segment is kept after its last request ended: what a failover may take back.
    private let keptFor: Duration
    private let now: @Sendable () -> Uptime
    private let state: Mutex<State>

    /// Requests that may be open at once.
    static let slotCount = 65_536
    /// About 40,000 requests.
    static let usualSegmentBytes = 16 << 20

    /// More are not kept for the sake of a failover alone: 1 GiB.
    static let keptSegments = 64

    /// Opens the journal of a node's folder and reads what is there.
    ///
    /// Throws when its files cannot be made or read. A damaged end is not an error: replay stops
    /// there, and what was open behind it is settled at its bound.
    init(
        _ directory: String, segmentBytes: Int = FileJournal.usualSegmentBytes,
        boot: BootID = .current(), flush: @escaping JournalSync.Flush = JournalSync.dataSync,
        keptFor: Duration = .zero,
        now: @escaping @Sendable () -> Uptime = { Uptime(microseconds: 0) }
    ) throws(LedgerStartError) {
        self.boot = boot
        self.keptFor = keptFor
        self.now = now
        disk = JournalSync(flush: flush)
        folder = try SegmentFolder(directory + "/segments", segmentBytes: segmentBytes)
        folders = [
            try OpenFile.folder(folder.path), try OpenFile.folder(directory),
        ]
        let existing = try folder.firstSequences()
        var replay = JournalReplay(from: existing.first ?? 1)
        var readable: [UInt64] = []
        var slots: [RequestID: (slot: UInt32, segment: UInt64)] = [:]
        var isBroken = false
        for first in existing {
            guard !isBroken, first == replay.nextSequence else {
                folder.setAside(first)
                continue
            }
            readable.append(first)
            let file = try folder.open(first)
            let bytes = file.contents()
            isBroken = !replay.read(segment: bytes)
            // A torn record is cleared, so that the next replay finds a clean end there.
            if isBroken {
                file.clear(from: Self.endOfRecords(bytes, from: first, to: replay.nextSequence))
            }
            for (id, request) in replay.unfinished where slots[id] == nil {
                slots[id] = (request.slot, first)
            }
        }
        self.replay = replay
        let progress = try MappedFile(path: directory + "/progress", count: Self.slotCount * 8)
        let taken = Set(replay.unfinished.values.map(\.slot))
        slots = slots.filter { replay.unfinished[$0.key] != nil }
        let next = replay.nextSequence
        let left = Dictionary(slots.values.map { ($0.segment, 1) }, uniquingKeysWith: +)
        var segments = readable.filter { $0 != next }.map {
            // What ended in it is not known batch by batch: all that was confirmed may have.
            Segment(
                first: $0, quietSince: now(), lastBatches: replay.confirmed,
                unfinished: left[$0] ?? 0)
        }
        var forgotten = replay.forgotten
        let file = try Self.openSegment(
            next, in: folder, after: &segments, needed: 0, &forgotten)
        file.clear(from: 0)
        disk.goesOn(in: file.file, new: folders)
        Failpoint.pass("start.segment-made")
        segments.append(Segment(first: next, quietSince: now()))
        state = Mutex(
            State(
                file: file, progress: progress, nextSequence: next, segments: segments,
                slots: slots,
                freeSlots: (0..<UInt32(Self.slotCount)).reversed().filter { !taken.contains($0) },
                confirmed: replay.confirmed, lanes: replay.lanes, forgotten: forgotten))
        state.withLock { state in
            for record in Self.standing(state) { _ = append(record, &state) }
        }
    }

    /// How a request of the dead process ended; nil when nobody can know, since the machine lost
    /// its memory meanwhile.
    func end(of request: JournalReplay.Unfinished) -> Settlement? {
        let slot = request.slot
        guard slot < UInt32(Self.slotCount) else { return request.settlement }
        let word = state.withLock { state in state.progress.word(Int(slot)) }
        return request.end(progress: ProgressWord.usage(word), now: boot)
    }

    func opened(_ opening: Opening, lane: LaneKey) -> Bool {
        state.withLock { state in
            guard let slot = state.freeSlots.popLast() else { return false }
            // Cleared before the record that points to it.
            state.progress.store(word: 0, index: Int(slot))
            guard append(.opened(opening, lane: lane, slot: slot, boot: boot), &state) else {
                state.freeSlots.append(slot)
                return false
            }
            let current = state.segments.count - 1
            state.segments[current].unfinished += 1
            state.slots[opening.requestID] = (slot, state.segments[current].first)
            return true
        }
    }

    func progressed(_ id: RequestID, usage: TokenUsage) {
        state.withLock { state in
            guard let slot = state.slots[id]?.slot else { return }
            state.progress.store(word: ProgressWord.make(usage), index: Int(slot))
        }
    }

    func rode(_ id: RequestID) -> Bool {
        state.withLock { state in append(.rode(id), &state) }
    }

    func sync() async -> Bool { await disk.run() }

    var hasFailed: Bool { disk.hasFailed }

    /// Returns when the disk has failed, or the task is cancelled. For one task.
    func failure() async { await disk.failure() }

    func closed(_ closing: Closing) {
        state.withLock { state in
            // When it cannot be kept, the ledger still gets it from memory; only a kill would make
            // it inexact.
            _ = append(.closed(closing.requestID, closing.settlement), &state)
        }
    }

    func confirmed(_ lane: LaneKey, sequence: Int64, finished: [RequestID]) {
        state.withLock { state in
            if sequence > 0 {
                state.confirmed[lane] = max(state.confirmed[lane] ?? 0, sequence)
            }
            _ = append(.confirmed(lane, sequence: sequence, finished: finished), &state)
            let now = now()
            for id in finished {
                guard let (slot, first) = state.slots.removeValue(forKey: id) else { continue }
                state.freeSlots.append(slot)
                if let index = state.segments.firstIndex(where: { $0.first == first }) {
                    state.segments[index].unfinished -= 1
                    state.segments[index].quietSince = now
                    let last = state.segments[index].lastBatches[lane] ?? 0
                    // An end without a batch of its own stands for the lane's first.
                    state.segments[index].lastBatches[lane] = max(last, sequence, 1)
                }
            }
            while state.segments.count > 1, state.segments[0].unfinished == 0,
                now - state.segments[0].quietSince >= keptFor
                    || state.segments.count > Self.keptSegments
            {
                forget(state.segments.removeFirst(), &state)
            }
        }
    }

    func laneOpened(_ lane: LaneKey) {
        state.withLock { state in
            let known = (state.lanes[lane.shard] ?? []) + [lane]
            state.lanes[lane.shard] = known.suffix(JournalReplay.keptLanes)
            _ = append(.laneOpened(lane), &state)
        }
    }

    func loss(_ row: LaneMachine.Row?, shard: Int16) -> LedgerLoss? {
        state.withLock { state in
            LedgerLoss(row: row, lanes: state.lanes[shard] ?? [], confirmed: state.confirmed)
        }
    }

    func reaches(back loss: LedgerLoss) -> Bool {
        state.withLock { state in loss.isWithin(forgotten: state.forgotten) }
    }

    func everything(in loss: LedgerLoss) -> JournalReplay {
        // Files are only added and removed at the ends; one that goes meanwhile is old enough.
        let segments = state.withLock { state in state.segments.map(\.first) }
        var replay = JournalReplay(from: segments.first ?? 1, keeping: loss)
        for first in segments {
            guard let file = try? folder.open(first), replay.read(segment: file.contents()) else {
                break
            }
        }
        return replay
    }

    /// The segment goes, and with it the power to repeat what ended in it.
    private func forget(_ segment: Segment, _ state: inout State) {
        for (lane, sequence) in Self.note(segment, in: &state.forgotten) {
            _ = append(.forgotten(lane, sequence: sequence), &state)
        }
        folder.remove(segment.first)
    }

    /// Notes what goes with a segment; what of it is new.
    private static func note(
        _ segment: Segment, in forgotten: inout [LaneKey: Int64]
    ) -> [LaneKey: Int64] {
        let news = segment.lastBatches.filter { $0.value > forgotten[$0.key] ?? 0 }
        forgotten.merge(news) { _, new in new }
        return news
    }

    /// Opens a new segment. On a full disk, what is kept only for the sake of a failover makes room
    /// for it, the oldest first; the last `needed` segments stay.
    private static func openSegment(
        _ first: UInt64, in folder: SegmentFolder, after segments: inout [Segment], needed: Int,
        _ forgotten: inout [LaneKey: Int64], letGo: () -> Void = {}
    ) throws(LedgerStartError) -> MappedFile {
        while true {
            do {
                return try folder.open(first)
            } catch {
                guard error.isFullDisk, segments.count > needed, segments[0].unfinished == 0
                else { throw error }
                let oldest = segments.removeFirst()
                letGo()
                _ = note(oldest, in: &forgotten)
                folder.remove(oldest.first)
            }
        }
    }

    /// What every segment repeats, since older ones go: the last lanes, what was confirmed of them
    /// and what is forgotten.
    private static func standing(_ state: borrowing State) -> [JournalRecord] {
        let lanes = state.lanes.values.flatMap(\.self)
        let confirmed = state.confirmed
        let forgotten = state.forgotten
        return lanes.map { JournalRecord.laneOpened($0) }
            + confirmed.map { .confirmed($0.key, sequence: $0.value, finished: []) }
            + forgotten.map { .forgotten($0.key, sequence: $0.value) }
    }

    private func append(_ record: JournalRecord, _ state: inout State) -> Bool {
        record.encode(sequence: state.nextSequence, into: &state.scratch)
        if state.offset + state.scratch.bytes.count > folder.segmentBytes {
            guard rotate(&state) else { return false }
            // The new segment's own first records took the sequence.
            record.encode(sequence: state.nextSequence, into: &state.scratch)
        }
        let count = state.scratch.bytes.count
        guard state.offset + count <= folder.segmentBytes else { return false }
        state.file.store(state.scratch.bytes, at: state.offset)
        state.offset += count
        state.nextSequence += 1
        return true
    }

    /// Goes on in a new segment. False when the disk has no room for one; nothing is lost then.
    private func rotate(_ state: inout State) -> Bool {
        guard
            let file = try? Self.openSegment(
                state.nextSequence, in: folder, after: &state.segments, needed: 1,
                &state.forgotten, letGo: disk.letGo)
        else { return false }
        file.clear(from: 0)
        disk.goesOn(in: file.file, new: folders)
        state.file = file
        state.offset = 0
        state.segments.append(Segment(first: state.nextSequence, quietSince: now()))
        // Lanes long gone say nothing any more.
        let kept = Set(state.lanes.values.flatMap(\.self))
        state.confirmed = state.confirmed.filter { kept.contains($0.key) }
        state.forgotten = state.forgotten.filter { kept.contains($0.key) }
        for record in Self.standing(state) {
            let bytes = record.encoded(sequence: state.nextSequence)
            guard state.offset + bytes.count <= folder.segmentBytes else { break }
            state.file.store(bytes, at: state.offset)
            state.offset += bytes.count
            state.nextSequence += 1
        }
        return true
    }

    /// Where the records of a segment end that begins with `first` and whose last good one is
    /// before `next`.
    private static func endOfRecords(_ bytes: [UInt8], from first: UInt64, to next: UInt64) -> Int {
        var position = 0
        for _ in first..<max(first, next) {
            var header = ByteDecoder(bytes[position..<(position + 4)])
            guard let length = try? header.read(UInt32.self) else { break }
            position += 8 + Int(length)
        }
        return position
    }
}
