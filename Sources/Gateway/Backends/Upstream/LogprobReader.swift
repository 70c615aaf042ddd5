import JSON

/// Reads `logprobs` of a backend's choice.
enum LogprobReader {
    /// The most bytes that one token is believed to have.
    private static let longestToken = 1024

    /// The tokens that a choice tells about, of its text (`content`) or its `refusal`, each with at
    /// most `most` alternatives: llama-server gives one more than none. What has not the published
    /// shape is left out, since a probability is worth nothing where it cannot be trusted.
    static func tokens(
        _ value: JSONValue?, of list: String = "content", alternatives most: Int
    ) -> [TokenLogprob] {
        guard let content = value?[list], content.kind == .array else { return [] }
        var tokens: [TokenLogprob] = []
        for element in content.elements {
            guard let drawn = candidate(element) else { continue }
            var alternatives: [TokenLogprob.Candidate] = []
            if most > 0, let list = element["top_logprobs"], list.kind == .array {
                for other in list.elements {
                    guard alternatives.count < most else { break }
                    if let candidate = candidate(other) { alternatives.append(candidate) }
                }
            }
            tokens.append(TokenLogprob(drawn: drawn, alternatives: alternatives))
        }
        return tokens
    }

    private static func candidate(_ value: JSONValue) -> TokenLogprob.Candidate? {
        guard let token = value["token"], token.utf8Count <= longestToken, let text = token.string,
            let logprob = value["logprob"]?.double
        else { return nil }
        return TokenLogprob.Candidate(
            token: text, logprob: max(logprob, TokenLogprob.least), bytes: bytes(value["bytes"]))
    }

    private static func bytes(_ value: JSONValue?) -> [UInt8]? {
        guard let value, value.kind == .array, value.count <= longestToken else { return nil }
        var bytes: [UInt8] = []
        for element in value.elements {
            guard let number = element.exactInteger, let byte = UInt8(exactly: number) else {
                return nil
            }
            bytes.append(byte)
        }
        return bytes
    }
}
