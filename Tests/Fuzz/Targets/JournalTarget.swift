import Domain

@testable import Ledger

/// The journal as the next start of a node reads it: a disk may hold anything, and nothing may be
/// believed whose checksum or place in the order is wrong.
enum JournalTarget: FuzzTarget {
    private static let longest = 256 << 10
    private static let boot = BootID(rawValue: 7)

    static func run(_ input: [UInt8]) {
        let bytes = Repetition.expanded(input, most: longest, usual: 8 << 10)
        // As it lies on the disk; a checksum is never hit by chance.
        replay(bytes, from: 1)
        // The same bytes as bodies of records, whose headers are right.
        let bodies = bodies(bytes)
        var segment: [UInt8] = []
        for (index, body) in bodies.enumerated() {
            segment += whole(body, sequence: UInt64(index) + 1)
        }
        let count = replay(segment, from: 1)
        damage(segment, count, seed: bytes)
        for body in bodies { checkRoundTrip(body) }
    }

    /// Cuts an input into bodies by the lengths before them.
    private static func bodies(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var bodies: [ArraySlice<UInt8>] = []
        var position = 0
        while position < bytes.count, bodies.count < 64 {
            let end = min(bytes.count, position + 1 + Int(bytes[position]))
            bodies.append(bytes[(position + 1)..<end])
            position = end
        }
        return bodies
    }

    /// A record around a body.
    private static func whole(_ body: ArraySlice<UInt8>, sequence: UInt64) -> [UInt8] {
        var encoder = ByteEncoder(capacity: body.count + JournalRecord.headerBytes)
        encoder.write(0 as UInt64)
        encoder.write(sequence)
        for byte in body { encoder.write(byte) }
        let checksum = slowChecksum(encoder.bytes[8...])
        encoder.overwrite(UInt64(encoder.bytes.count - 8) | UInt64(checksum) << 32, at: 0)
        return encoder.bytes
    }

    /// Reads a segment, as well as what it says can be read, and gives how many records were taken.
    @discardableResult
    private static func replay(_ segment: [UInt8], from sequence: UInt64) -> Int {
        // An end is looked for in every lane, so that requests which are over are kept, too.
        var replay = JournalReplay(
            from: sequence,
            keeping: LedgerLoss(
                lanes: [:], first: LaneKey(shard: 0, node: 0, epoch: 0)))
        _ = Property.bounded(segment.count, memory: 64) { replay.read(segment: segment) }
        let taken = Int(replay.nextSequence - sequence)
        Property.require(
            taken <= valid(segment, from: sequence), "a record with a wrong checksum was read")
        for request in replay.unfinished.values {
            for progress in [nil, TokenUsage(prompt: 3, completion: .max)] {
                guard let end = request.end(progress: progress, now: boot) else { continue }
                let closing = request.closing(as: end)
                Property.require(
                    closing.charge.tokens >= 0 && closing.charge.cost >= .zero
                        && closing.charge.tokens <= request.opening.bound.total,
                    "a request from the journal is charged beyond its bound")
            }
        }
        return taken
    }

    /// How many records from the start have their own checksum and follow each other, by the plainest
    /// reading of the format.
    private static func valid(_ segment: [UInt8], from sequence: UInt64) -> Int {
        var (position, count) = (0, 0)
        while position + 17 <= segment.count {
            let length = Int(number(segment, position, 4))
            guard length >= 9, position + 8 + length <= segment.count,
                number(segment, position + 4, 4)
                    == UInt64(slowChecksum(segment[(position + 8)..<(position + 8 + length)])),
                number(segment, position + 8, 8) == sequence + UInt64(count)
            else { break }
            count += 1
            position += 8 + length
        }
        return count
    }

    private static func number(_ bytes: [UInt8], _ start: Int, _ count: Int) -> UInt64 {
        bytes[start..<(start + count)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// CRC-32C bit by bit.
    private static func slowChecksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var value: UInt32 = .max
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
        }
        return ~value
    }

    /// One flipped bit, somewhere: nothing from its record on is read.
    private static func damage(_ segment: [UInt8], _ count: Int, seed: [UInt8]) {
        guard !segment.isEmpty else { return }
        let place = seed.prefix(64).reduce(5) { ($0 &* 31 &+ Int($1)) & 0xFF_FFFF } % segment.count
        var damaged = segment
        damaged[place] ^= 1 << UInt8(place % 8)
        var (position, before) = (0, 0)
        while position + 8 + Int(number(segment, position, 4)) <= place {
            position += 8 + Int(number(segment, position, 4))
            before += 1
        }
        Property.require(
            replay(damaged, from: 1) <= min(count, before), "a damaged record was read")
    }

    /// What was read is written and read to the same bytes.
    private static func checkRoundTrip(_ body: ArraySlice<UInt8>) {
        var encoder = ByteEncoder(capacity: body.count + 8)
        encoder.write(9 as UInt64)
        for byte in body { encoder.write(byte) }
        guard let (sequence, record) = try? JournalRecord.decode(encoder.bytes[...]) else { return }
        Property.require(sequence == 9, "a record has another number")
        let written = record.encoded(sequence: sequence)
        guard let (_, again) = try? JournalRecord.decode(written[8...]) else {
            return Property.require(false, "what was written cannot be read")
        }
        Property.require(
            again.encoded(sequence: sequence) == written, "a record is written differently")
    }
}
