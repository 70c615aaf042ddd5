/// What the upstream's moderation does with a request and its answer (`moderation`).
struct ModerationRequest: Sendable, Equatable {
    /// Whether a flagged text is told of only, or refused too.
    enum Mode: String, Sendable, CaseIterable {
        case score, block
    }

    /// The upstream's name of the model that judges.
    var model: String
    var input: Mode?
    var output: Mode?
}
