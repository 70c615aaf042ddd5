/// A service that finds personal data in texts: Microsoft Presidio's analyzer, or whatever speaks its
/// `POST /analyze`.
public struct AnalyzerConfiguration: Sendable, Hashable {
    /// Where it is, without `/analyze`.
    public let baseURL: String
    /// The language of the texts, as the service names it.
    public let language: String
    /// The least score of a finding, in percent.
    public let minimumScore: Int
    /// How long one request's texts may take.
    public let timeout: Duration

    /// Makes a configuration.
    public init(baseURL: String, language: String, minimumScore: Int, timeout: Duration) {
        self.baseURL = baseURL
        self.language = language
        self.minimumScore = minimumScore
        self.timeout = timeout
    }
}
