/// The contract's range sheet: what the reader enforces and what the reference tells.
enum ParameterLimits {
    static let temperature = 0.0...2.0
    /// `top_p` and `min_p`.
    static let probability = 0.0...1.0
    static let topK: ClosedRange<Int64> = 1...128
    /// Its lower end itself is refused.
    static let repetitionPenalty = 0.0...2.0
    /// `frequency_penalty` and `presence_penalty`.
    static let penalty = -2.0...2.0
    static let seed = Int64.min...Int64.max
    static let topLogprobs: ClosedRange<Int64> = 0...20
    /// `max_tokens` and `max_completion_tokens`.
    static let completionTokens: ClosedRange<Int64> = 1...ParameterReading.largestCount
    /// The values of `logit_bias`.
    static let bias = -100.0...100.0
    /// The entries of `logit_bias`.
    static let mostBiases = 300
    /// Of `tools` or `functions`, and of the calls of one message.
    static let mostTools = 128
    /// The names of functions and schemas, in bytes of `A-Za-z0-9_-`.
    static let nameLength = 1...64
    /// The name of a model, in bytes.
    static let longestModelName = 256
    /// The entries of `metadata`.
    static let mostPairs = 16
    /// A key of `metadata`, and `safety_identifier`, in characters.
    static let longestKey = 64
    /// A value of `metadata`, in characters.
    static let longestValue = 512
    /// The entries of `input.entity_list`: more kinds than there are.
    static let mostEntities = 100
    /// The name or the id of a file, in characters.
    static let longestFileName = 256
    /// The name or the id of a voice, a moderating model, a place or a spoken answer, in characters.
    static let longestName = 256
    /// A name in `chat_template_kwargs`, in bytes.
    static let templateArgumentLength = 1...64
}
