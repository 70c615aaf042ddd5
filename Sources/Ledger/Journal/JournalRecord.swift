import Domain

/// One thing that the journal keeps.
enum JournalRecord: Sendable {
    /// A request was admitted; its progress word is at `slot`, good as long as the machine has not
    /// started anew since `boot`.
    case opened(Opening, lane: LaneKey, slot: UInt32, boot: BootID)
    /// The lane was opened anew; all records of it follow.
    case laneOpened(LaneKey)
    /// Requests that the lane's batches up to this one closed are not kept any more.
    case forgotten(LaneKey, sequence: Int64)
    /// A request went on without the ledger's word, in an outage.
    case rode(RequestID)
    /// A request was settled by this node.
    case closed(RequestID, Settlement)
    /// The ledger took a lane's batch; nothing more can happen to these requests.
    case confirmed(LaneKey, sequence: Int64, finished: [RequestID])

    /// Length (4), checksum (4) and sequence (8) come before each record's body.
    static let headerBytes = 16
    /// Far above any record: 512 requests of a batch, or the claims of one request.
    static let maximumBytes = 64 * 1024

    /// The record with its header, under `sequence`.
    func encoded(sequence: UInt64) -> [UInt8] {
        var record = ByteEncoder(capacity: 480)
        encode(sequence: sequence, into: &record)
        return record.bytes
    }

    /// Writes the record over what `body` held. Length and checksum are filled in once the rest is
    /// there.
    func encode(sequence: UInt64, into body: inout ByteEncoder) {
        body.removeAll()
        body.write(0 as UInt64)
        body.write(sequence)
        switch self {
        case .opened(let opening, let lane, let slot, let boot):
            body.write(1 as UInt8)
            Self.write(lane, &body)
            body.write(slot)
            body.write(boot.rawValue)
            Self.write(opening, &body)
        case .closed(let id, let settlement):
            // Seven is two with attempts in front of the settlement, which may end in a price.
            body.write((settlement.attempts.isEmpty ? 2 : 7) as UInt8)
            body.write(id.rawValue)
            if !settlement.attempts.isEmpty { Self.write(settlement.attempts, &body) }
            Self.write(settlement, &body)
        case .confirmed(let lane, let number, let finished):
            body.write(3 as UInt8)
            Self.write(lane, &body)
            body.write(number)
            body.write(UInt32(finished.count))
            for id in finished { body.write(id.rawValue) }
        case .rode(let id):
            body.write(4 as UInt8)
            body.write(id.rawValue)
        case .laneOpened(let lane):
            body.write(5 as UInt8)
            Self.write(lane, &body)
        case .forgotten(let lane, let number):
            body.write(6 as UInt8)
            Self.write(lane, &body)
            body.write(number)
        }
        let checksum = CRC32C.checksum(body.bytes[8...])
        body.overwrite(UInt64(body.bytes.count - 8) | UInt64(checksum) << 32, at: 0)
    }

    /// Reads a record's body, sequence included.
    static func decode(
        _ bytes: ArraySlice<UInt8>
    ) throws(ByteDecoder.Malformed) -> (sequence: UInt64, record: JournalRecord) {
        var body = ByteDecoder(bytes)
        let sequence = try body.read(UInt64.self)
        let record: JournalRecord
        switch try body.read(UInt8.self) {
        case 1:
            let lane = try readLane(&body)
            let slot = try body.read(UInt32.self)
            let boot = BootID(rawValue: try body.read(UInt64.self))
            record = .opened(try readOpening(&body), lane: lane, slot: slot, boot: boot)
        case 2:
            let id = RequestID(rawValue: try body.read(UInt128.self))
            record = .closed(id, try readSettlement(&body))
        case 3:
            let lane = try readLane(&body)
            let number = try body.read(Int64.self)
            var finished: [RequestID] = []
            for _ in 0..<(try body.read(UInt32.self)) {
                finished.append(RequestID(rawValue: try body.read(UInt128.self)))
            }
            record = .confirmed(lane, sequence: number, finished: finished)
        case 4: record = .rode(RequestID(rawValue: try body.read(UInt128.self)))
        case 5: record = .laneOpened(try readLane(&body))
        case 6:
            let lane = try readLane(&body)
            record = .forgotten(lane, sequence: try body.read(Int64.self))
        case 7:
            let id = RequestID(rawValue: try body.read(UInt128.self))
            let attempts = try readAttempts(&body)
            var settlement = try readSettlement(&body)
            settlement.attempts = attempts
            record = .closed(id, settlement)
        default: throw ByteDecoder.Malformed()
        }
        guard body.isAtEnd else { throw ByteDecoder.Malformed() }
        return (sequence, record)
    }

    private static func write(_ lane: LaneKey, _ body: inout ByteEncoder) {
        body.write(lane.shard)
        body.write(lane.node)
        body.write(lane.epoch)
    }

    private static func readLane(
        _ body: inout ByteDecoder
    ) throws(ByteDecoder.Malformed) -> LaneKey {
        LaneKey(
            shard: try body.read(Int16.self), node: try body.read(Int64.self),
            epoch: try body.read(UInt128.self))
    }
}
