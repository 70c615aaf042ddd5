/// Keccak-256 as Ethereum uses it: SHA-3 before its padding was changed, which the OpenSSL of the
/// oldest system supported does not have.
enum Keccak256 {
    /// Bytes taken in at a time.
    private static let rate = 136

    private static let roundConstants: [UInt64] = [
        0x0000_0000_0000_0001, 0x0000_0000_0000_8082, 0x8000_0000_0000_808A,
        0x8000_0000_8000_8000, 0x0000_0000_0000_808B, 0x0000_0000_8000_0001,
        0x8000_0000_8000_8081, 0x8000_0000_0000_8009, 0x0000_0000_0000_008A,
        0x0000_0000_0000_0088, 0x0000_0000_8000_8009, 0x0000_0000_8000_000A,
        0x0000_0000_8000_808B, 0x8000_0000_0000_008B, 0x8000_0000_0000_8089,
        0x8000_0000_0000_8003, 0x8000_0000_0000_8002, 0x8000_0000_0000_0080,
        0x0000_0000_0000_800A, 0x8000_0000_8000_000A, 0x8000_0000_8000_8081,
        0x8000_0000_0000_8080, 0x0000_0000_8000_0001, 0x8000_0000_8000_8008,
    ]
    /// How far each lane turns, and where it goes, in the order in which the lanes move.
    private static let rotations = [
        1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44,
    ]
    private static let places = [
        10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1,
    ]

    /// The 32-byte digest of `bytes`.
    static func hash(_ bytes: [UInt8]) -> [UInt8] {
        var state = [UInt64](repeating: 0, count: 25)
        var padded = bytes + [0x01]
        while padded.count % rate != 0 { padded.append(0) }
        padded[padded.count - 1] |= 0x80
        for block in stride(from: 0, to: padded.count, by: rate) {
            for index in 0..<rate {
                state[index / 8] ^= UInt64(padded[block + index]) << UInt64(index % 8 * 8)
            }
            permute(&state)
        }
        return (0..<32).map { UInt8(truncatingIfNeeded: state[$0 / 8] >> UInt64($0 % 8 * 8)) }
    }

    private static func permute(_ state: inout [UInt64]) {
        for constant in roundConstants {
            var columns = [UInt64](repeating: 0, count: 5)
            for column in 0..<5 {
                for row in 0..<5 { columns[column] ^= state[column + 5 * row] }
            }
            for column in 0..<5 {
                let mixed = columns[(column + 4) % 5] ^ turned(columns[(column + 1) % 5], by: 1)
                for row in 0..<5 { state[column + 5 * row] ^= mixed }
            }
            var moving = state[1]
            for (rotation, place) in zip(rotations, places) {
                let next = state[place]
                state[place] = turned(moving, by: rotation)
                moving = next
            }
            for row in stride(from: 0, to: 25, by: 5) {
                let lanes = Array(state[row..<row + 5])
                for column in 0..<5 {
                    state[row + column] =
                        lanes[column] ^ (~lanes[(column + 1) % 5] & lanes[(column + 2) % 5])
                }
            }
            state[0] ^= constant
        }
    }

    private static func turned(_ lane: UInt64, by bits: Int) -> UInt64 {
        lane << UInt64(bits) | lane >> UInt64(64 - bits)
    }
}
