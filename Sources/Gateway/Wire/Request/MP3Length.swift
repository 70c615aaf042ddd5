/// How long MPEG audio of layer III can play at most (ISO/IEC 11172-3 and 13818-3, and the
/// half-rate extension "2.5"): its frames are walked as a decoder does.
enum MP3Length {
    /// The most milliseconds that a byte outside of the frames that were found can come to. Some
    /// decoder might find a frame there: the longest is 144 ms and none is shorter than its header
    /// of four bytes.
    private static let microsecondsPerStrayByte: Int64 = 36_000

    /// The most milliseconds, at least 1; nil where there is no frame.
    static func mostMilliseconds(_ bytes: [UInt8]) -> Int64? {
        var position = 0
        var microseconds: Int64 = 0
        var hasFrame = false
        while position < bytes.count {
            if let frame = Frame(bytes, at: position) {
                hasFrame = true
                microseconds += frame.microseconds
                position += frame.size
            } else {
                microseconds += microsecondsPerStrayByte
                position += 1
            }
        }
        return hasFrame ? max(1, (microseconds + 999) / 1000) : nil
    }

    private struct Frame {
        let size: Int
        let microseconds: Int64

        /// The frame whose header is at `position`; nil where there is none, or one whose size is
        /// not told ("free format").
        init?(_ bytes: [UInt8], at position: Int) {
            guard position + 4 <= bytes.count, bytes[position] == 0xFF,
                bytes[position + 1] & 0xE0 == 0xE0, bytes[position + 1] & 0x06 == 0x02
            else { return nil }
            let version = bytes[position + 1] >> 3 & 3
            let (rateIndex, bitIndex) = (bytes[position + 2] >> 2 & 3, bytes[position + 2] >> 4)
            guard version != 1, rateIndex != 3, (1...14).contains(bitIndex) else { return nil }
            let isFirst = version == 3
            // Each version has half the sample rates of the one before.
            let halves = isFirst ? 0 : version == 2 ? 1 : 2
            let rate = [44_100, 48_000, 32_000][Int(rateIndex)] >> halves
            let kilobits = (isFirst ? Self.first : Self.second)[Int(bitIndex) - 1]
            let padding = Int(bytes[position + 2] >> 1 & 1)
            let samples = isFirst ? 1152 : 576
            size = samples / 8 * kilobits * 1000 / rate + padding
            microseconds = (Int64(samples) * 1_000_000 + Int64(rate) - 1) / Int64(rate)
        }

        private static let first = [
            32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
        ]
        private static let second = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
    }
}
