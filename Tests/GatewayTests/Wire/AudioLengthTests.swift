import Foundation
import Testing

@testable import Gateway

@Suite struct AudioLengths {
    @Test func `a WAV file is as long as its bytes at its own rate, whatever it says of its data`()
    {
        let second = AudioLength.mostMilliseconds(Recordings.wav(seconds: 3), .wav)
        #expect(second.map { (3000...3003).contains($0) } == true)
        for told in [0, 1, UInt32.max] {
            #expect(
                AudioLength.mostMilliseconds(Recordings.wav(seconds: 3, told: told), .wav) == second
            )
        }
    }

    @Test func `what does not bound a recording's length is refused`() {
        let good = Recordings.wav()
        #expect(AudioLength.mostMilliseconds(good, .wav) != nil)
        let bad = [
            // One sample a second; a rate that is not its samples'; compressed.
            Recordings.wav(samples: 1), Recordings.wav(rate: 1), Recordings.wav(tag: 0x11),
            Recordings.wav(block: 1), Recordings.wav(block: 0),
            Array(good.prefix(20)), Array(good.prefix(38)), [], Array("RIFF".utf8),
            // Two formats.
            Array(good.prefix(36)) + Array(good[12..<36]) + Array(good[36...]),
        ]
        for bytes in bad {
            #expect(AudioLength.mostMilliseconds(bytes, .wav) == nil, "\(bytes.prefix(48))")
        }
        #expect(AudioLength.mostMilliseconds(good, .mp3) == nil)
        #expect(AudioLength.mostMilliseconds([UInt8](repeating: 0, count: 999), .mp3) == nil)
        // Layer II, free format, a reserved version.
        for header: [UInt8] in [
            [0xFF, 0xFD, 0x90, 0], [0xFF, 0xFB, 0x00, 0], [0xFF, 0xEB, 0x90, 0],
        ] {
            #expect(AudioLength.mostMilliseconds(header, .mp3) == nil)
        }
    }

    @Test func `an MP3 file is as long as its frames, and no byte of it is free`() {
        let frames = Recordings.mp3(frames: 100)
        // 1152 samples at 44100 Hz each.
        #expect(AudioLength.mostMilliseconds(frames, .mp3) == 2613)
        #expect(AudioLength.mostMilliseconds(Recordings.slowMP3(frames: 10), .mp3) == 720)
        let tagged = Array("ID3".utf8) + [UInt8](repeating: 0, count: 97) + frames
        #expect(AudioLength.mostMilliseconds(tagged, .mp3) == 6213)
        #expect(AudioLength.mostMilliseconds(frames + [0, 0], .mp3) == 2685)
    }

    @Test(arguments: 0..<200)
    func `base64 is read as Foundation reads it, and nothing else is`(_ length: Int) {
        let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ length) }
        let text = Data(bytes).base64EncodedString()
        #expect(Base64.decoded(text.utf8) == (length == 0 ? nil : bytes))
        for bad in [text + "=", text + "\n", "=" + text, text.dropLast() + "-", "A===" + text] {
            #expect(Base64.decoded(bad.utf8) == nil, "\(bad)")
        }
    }
}
