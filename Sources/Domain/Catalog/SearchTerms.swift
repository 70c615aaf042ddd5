/// On which terms a model searches the web.
public struct SearchTerms: Sendable, Hashable {
    /// The most tokens that what is found adds to a prompt.
    public var promptTokens: Int64
    /// What a request costs beside its tokens; nil where nobody has said it.
    public var fee: NanoUSD?

    /// Makes terms.
    public init(promptTokens: Int64, fee: NanoUSD?) {
        self.promptTokens = promptTokens
        self.fee = fee
    }
}
