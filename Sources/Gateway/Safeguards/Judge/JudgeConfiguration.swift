/// The model that judges texts for safeguards, and who pays for it.
public struct JudgeConfiguration: Sendable, Hashable, CustomStringConvertible,
    CustomDebugStringConvertible, CustomReflectable
{
    /// Its alias, among the gateway's own models.
    public let model: String
    /// The operator's API key of this gateway: its quotas hold for judging, and its usage shows what
    /// judging costs.
    let key: [UInt8]
    /// The most tokens of an answer of one word: a model that reasons needs more.
    public let maximumCompletionTokens: Int64

    /// Makes a configuration.
    public init(model: String, key: [UInt8], maximumCompletionTokens: Int64) {
        self.model = model
        self.key = key
        self.maximumCompletionTokens = maximumCompletionTokens
    }

    /// Its model, never its key.
    public var description: String { "judge \(model)" }
    /// The same.
    public var debugDescription: String { description }
    /// Nothing of the key.
    public var customMirror: Mirror { Mirror(self, children: ["model": model]) }
}
