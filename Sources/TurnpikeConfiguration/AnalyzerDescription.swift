/// The service that finds personal data, as the file describes it.
public struct AnalyzerDescription: Sendable, Hashable {
    /// Where it is, without `/analyze`.
    public var baseURL: String
    /// The language of the texts.
    public var language: String
    /// The least score of a finding, in percent.
    public var minimumScore: Int64
    /// How long one request's texts may take.
    public var timeout: Duration
}
