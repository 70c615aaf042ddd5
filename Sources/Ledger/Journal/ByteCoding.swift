/// Writes numbers little-endian, one after the other.
struct ByteEncoder {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    mutating func write<Number: FixedWidthInteger>(_ number: Number) {
        var rest = number
        for _ in 0..<(Number.bitWidth / 8) {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }

    /// Forgets what was written and keeps its memory.
    mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// Writes a number over what stands at `position`.
    mutating func overwrite<Number: FixedWidthInteger>(_ number: Number, at position: Int) {
        for index in 0..<(Number.bitWidth / 8) {
            bytes[position + index] = UInt8(truncatingIfNeeded: number >> (8 * index))
        }
    }
}

/// Reads what ``ByteEncoder`` wrote. Reading past the end fails, never traps: a disk may hold
/// anything.
struct ByteDecoder {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    /// The bytes are not what was written.
    struct Malformed: Error {}

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    var isAtEnd: Bool { position == bytes.endIndex }

    mutating func read<Number: FixedWidthInteger>(_ type: Number.Type) throws(Malformed) -> Number {
        let width = Number.bitWidth / 8
        guard bytes.endIndex - position >= width else { throw Malformed() }
        var number: Number = 0
        for index in stride(from: width - 1, through: 0, by: -1) {
            number = number << 8 | Number(truncatingIfNeeded: bytes[position + index])
        }
        position += width
        return number
    }
}
