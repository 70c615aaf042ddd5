/// How much of the machine checks of personal data may take. They come before admission, so no quota
/// counts what they cost.
public struct CheckLimits: Sendable, Hashable {
    /// The most checks that run at once; nil for half of the machine's processors, at least one.
    public var running: Int?
    /// The most bytes of text that wait for their turn, of all keys together.
    public var waitingBytes = 64 << 20
    /// The most bytes of text of one key that wait for their turn: two of the largest bodies.
    public var waitingBytesOfKey = 8 << 20

    /// Makes the limits in use where nothing else is configured.
    public init() {}
}
