/// The model that judges texts for safeguards, as the file describes it.
public struct JudgeDescription: Sendable, Hashable {
    /// A model alias of the same file.
    public var model: String
    /// The environment variable that holds the API key which pays for judging.
    public var apiKeyVariable: String
    /// The most tokens of its answer of one word.
    public var maximumCompletionTokens: Int64
}
