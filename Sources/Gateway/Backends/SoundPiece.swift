/// A piece of an answer's sound, or all of it (`audio`).
struct SoundPiece: Sendable, Equatable {
    /// The upstream's name of it, by which a later message may refer to it.
    var id: String?
    /// Bytes in base64; those of a stream are each whole.
    var data: String?
    /// What is said.
    var transcript: String?
    /// When the upstream forgets it, in seconds since 1970.
    var expiresAt: Int64?

    /// Whether it only tells when it is forgotten: the last piece, which may come after the end of
    /// its choice.
    var isLast: Bool { id == nil && data == nil && transcript == nil }
}
