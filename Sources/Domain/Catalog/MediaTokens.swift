/// The most tokens that parts of a prompt can be beside text and images, by their kind; a model does
/// not take a kind of which nothing is said.
public struct MediaTokens: Sendable, Hashable {
    /// Of each second of audio.
    public var audioPerSecond: Int64?
    /// Of one video.
    public var video: Int64?
    /// Of one file.
    public var file: Int64?
    /// Whether a file may be named by its id at the upstream, whose account all clients share.
    public var takesFileIDs = false

    /// Nothing is taken.
    public init() {}

    /// Encoders of audio work on pieces of this length and fill up the last one.
    public static let audioPieceMilliseconds: Int64 = 30_000

    /// The most tokens of audio that plays for so long at most; nil where none is taken.
    public func audio(mostMilliseconds: Int64) -> Int64? {
        let piece = Self.audioPieceMilliseconds
        let pieces = (mostMilliseconds + piece - 1) / piece
        return audioPerSecond.map { pieces * piece / 1000 * $0 }
    }
}
