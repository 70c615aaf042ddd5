/// The most tokens that one request may use. Not an estimate: the completion part is written into
/// the forwarded request and enforced on the stream, the prompt part is a ceiling of the tokenizer.
public struct TokenBound: Sendable, Hashable {
    /// The most tokens the prompt can have.
    public let prompt: Int64
    /// The most tokens all completions together can have.
    public let completion: Int64

    /// The largest that either part may be.
    public static let most: Int64 = 1 << 40

    /// Makes a bound; both parts are at least one and at most ``most``, which the wire's validation
    /// guarantees.
    public init(prompt: Int64, completion: Int64) {
        precondition(
            (1...Self.most).contains(prompt) && (1...Self.most).contains(completion),
            "a token bound is within 1...2^40")
        self.prompt = prompt
        self.completion = completion
    }

    /// Prompt and completion together: what a request reserves.
    public var total: Int64 { prompt + completion }
}
