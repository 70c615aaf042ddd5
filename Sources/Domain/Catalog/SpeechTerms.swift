/// On which terms a model speaks its answers.
public struct SpeechTerms: Sendable, Hashable {
    /// The most tokens that one earlier spoken answer can be in a prompt, which names it by its id at
    /// the upstream, whose account all clients share; nil where none may be named.
    public var historyTokens: Int64?
    /// The price of a request whose answer is spoken, that of sound for every completion token.
    public var price: Price?

    /// Terms of which nothing is said.
    public init() {}
}
