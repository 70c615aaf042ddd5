/// What an error's sentence tells about a prompt that does not fit, where nothing else tells it.
struct ContextSentence: Equatable {
    /// How long the prompt is.
    var promptTokens: Int64?
    /// How much fits.
    var contextTokens: Int64?

    /// Reads a sentence; nil if it tells nothing of the kind.
    init?(_ text: String) {
        if let found = text.firstRange(of: "maximum context length") {
            contextTokens = Self.number(in: text[found.upperBound...])
            promptTokens = Self.promptTokens(in: text)
        } else if let found = text.firstRange(of: "prompt is too long:") {
            // Anthropic: "prompt is too long: 208310 tokens > 200000 maximum".
            readComparison(text[found.upperBound...])
        } else if let found = text.firstRange(of: "exceed context limit:") {
            // Anthropic: "input length and `max_tokens` exceed context limit: 188240 + 21333 >
            // 200000, decrease input length or …".
            readComparison(text[found.upperBound...])
        } else {
            return nil
        }
    }

    /// The first number is the prompt's, the one behind the sign is the context's.
    private mutating func readComparison(_ text: Substring) {
        guard let sign = text.firstIndex(of: ">") else { return }
        promptTokens = Self.number(in: text[..<sign])
        contextTokens = Self.number(in: text[sign...])
    }

    /// OpenAI and vLLM, after "This model's maximum context length is 4096 tokens. However,": "…
    /// (1000 in the messages, 4000 in the completion)", or "… your request has 1000 input tokens".
    private static func promptTokens(in text: String) -> Int64? {
        if let end = text.firstRange(of: " in the messages"),
            let start = text[..<end.lowerBound].lastIndex(where: { !$0.isNumber })
        {
            return Int64(text[text.index(after: start)..<end.lowerBound])
        }
        return text.firstRange(of: "request has ").flatMap { number(in: text[$0.upperBound...]) }
    }

    /// The first whole number in `text`.
    private static func number(in text: Substring) -> Int64? {
        Int64(text.drop { !$0.isNumber }.prefix { $0.isNumber })
    }
}
