/// An answer that is spoken (`modalities` with `audio`, and `audio`).
struct SpokenAnswer: Sendable, Equatable {
    /// What its bytes are.
    enum Format: String, Sendable, CaseIterable {
        case wav, aac, mp3, flac, opus, pcm16
    }

    /// Who speaks.
    enum Voice: Sendable, Equatable {
        /// One of the upstream's own.
        case named(String)
        /// One that the upstream's account has made.
        case made(id: String)
    }

    var format: Format
    var voice: Voice
    /// Whether the answer is told in text too.
    var saysText: Bool

    /// The only format that can be sent piece by piece.
    static let streamed = Format.pcm16
}
