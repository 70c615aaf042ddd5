/// What a backend tells of its count beside what is charged: parts of the prompt and the completion
/// that clients are told of.
struct UsageParts: Sendable, Equatable {
    /// Prompt tokens of text; nil where the backend does not tell.
    var promptText: Int64?
    /// Prompt tokens of images; nil where the backend does not tell.
    var promptImage: Int64?
    /// Completion tokens of text; nil where the backend does not tell.
    var completionText: Int64?
    /// Prompt tokens of audio.
    var promptAudio: Int64 = 0
    /// Completion tokens of sound.
    var completionAudio: Int64 = 0
    /// Tokens of a prediction that came true.
    var acceptedPrediction: Int64 = 0
    /// Tokens of one that did not, which count as generated.
    var rejectedPrediction: Int64 = 0

    /// None.
    static let none = UsageParts()

    /// The same with no part larger than what it is a part of: an upstream may lie.
    func within(prompt: Int64, completion: Int64) -> UsageParts {
        var parts = self
        parts.promptText = promptText.map { min(max(0, $0), prompt) }
        parts.promptImage = promptImage.map { min(max(0, $0), prompt) }
        parts.completionText = completionText.map { min(max(0, $0), completion) }
        parts.promptAudio = min(max(0, promptAudio), prompt)
        parts.completionAudio = min(max(0, completionAudio), completion)
        parts.acceptedPrediction = min(max(0, acceptedPrediction), completion)
        parts.rejectedPrediction = min(
            max(0, rejectedPrediction), completion - parts.acceptedPrediction)
        return parts
    }
}
