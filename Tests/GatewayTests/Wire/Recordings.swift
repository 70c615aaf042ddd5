import Foundation

/// Recordings for tests: silence of a known length.
enum Recordings {
    /// A WAV file of 16-bit samples of one channel, each field of its format as told.
    static func wav(
        seconds: Int = 1, tag: UInt16 = 1, samples: UInt32 = 8000, rate: UInt32? = nil,
        block: UInt16 = 2, told: UInt32? = nil
    ) -> [UInt8] {
        let data = seconds * 16_000
        var bytes = Array("RIFF".utf8) + little(UInt32(36 + data)) + Array("WAVEfmt ".utf8)
        bytes += little(UInt32(16)) + little(tag) + little(UInt16(1)) + little(samples)
        bytes += little(rate ?? samples * UInt32(block)) + little(block) + little(UInt16(16))
        bytes += Array("data".utf8) + little(told ?? UInt32(data))
        return bytes + [UInt8](repeating: 0, count: data)
    }

    /// MP3 frames of MPEG-1 layer III with 128 kbit/s at 44100 Hz: 417 bytes for 26.1 ms.
    static func mp3(frames: Int) -> [UInt8] {
        let frame: [UInt8] = [0xFF, 0xFB, 0x90, 0x00] + [UInt8](repeating: 0, count: 413)
        return Array(repeatElement(frame, count: frames).joined())
    }

    /// The slowest that MP3 can be: MPEG-2.5 with 8 kbit/s at 8000 Hz, 72 bytes for 72 ms.
    static func slowMP3(frames: Int) -> [UInt8] {
        let frame: [UInt8] = [0xFF, 0xE3, 0x18, 0x00] + [UInt8](repeating: 0, count: 68)
        return Array(repeatElement(frame, count: frames).joined())
    }

    static func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    private static func little<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}
