/// How long a recording can play at most, told by its bytes alone: what its tokens are bounded by
/// before anybody has decoded it.
enum AudioLength {
    /// The most milliseconds, at least 1; nil for what is no recording of that format, or one whose
    /// length its bytes do not bound.
    static func mostMilliseconds(_ bytes: [UInt8], _ format: AudioPart.Format) -> Int64? {
        switch format {
        case .wav: wav(bytes)
        case .mp3: MP3Length.mostMilliseconds(bytes)
        }
    }

    /// A RIFF/WAVE file of samples that are not compressed (Microsoft, "Multiple channel audio data
    /// and WAVE files"): so many bytes a second, of which it cannot hold more than its length,
    /// whatever it says of the length of its data.
    private static func wav(_ bytes: [UInt8]) -> Int64? {
        guard bytes.count >= 12, bytes.starts(with: "RIFF".utf8),
            bytes[8..<12].elementsEqual("WAVE".utf8)
        else { return nil }
        var position = 12
        var rate: Int64?
        while position + 8 <= bytes.count {
            let size = Int(little(bytes, position + 4, 4))
            if bytes[position..<position + 4].elementsEqual("fmt ".utf8) {
                // Of two formats nobody knows which a decoder takes.
                guard rate == nil, size >= 16, position + 8 + size <= bytes.count else {
                    return nil
                }
                rate = bytesPerSecond(Array(bytes[position + 8..<position + 8 + size]))
                guard rate != nil else { return nil }
            } else if bytes[position..<position + 4].elementsEqual("data".utf8) {
                return rate.map { max(1, (Int64(bytes.count) * 1000 + $0 - 1) / $0) }
            }
            // Chunks begin at even places.
            position += 8 + size + size % 2
        }
        return nil
    }

    /// The rate of a format that agrees with itself.
    private static func bytesPerSecond(_ format: [UInt8]) -> Int64? {
        var tag = little(format, 0, 2)
        // The extensible form tells the tag in the first bytes of a longer name.
        if tag == 0xFFFE, format.count >= 26 { tag = little(format, 24, 2) }
        let (channels, samples) = (little(format, 2, 2), little(format, 4, 4))
        let (rate, block, bits) = (
            little(format, 8, 4), little(format, 12, 2), little(format, 14, 2)
        )
        // Integers, floating point, A-law and µ-law; all others are compressed.
        guard [1, 3, 6, 7].contains(tag), (1...64).contains(channels),
            (4000...768_000).contains(samples), [8, 16, 24, 32, 64].contains(bits),
            block == channels * bits / 8, rate == samples * block
        else { return nil }
        return rate
    }

    private static func little(_ bytes: [UInt8], _ start: Int, _ count: Int) -> Int64 {
        bytes[start..<start + count].reversed().reduce(0) { $0 << 8 | Int64($1) }
    }
}
