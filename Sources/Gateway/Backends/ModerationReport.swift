/// What the upstream's moderation found (`moderation`), of the request and of its answer.
struct ModerationReport: Sendable, Equatable {
    /// What it says of one of the two.
    enum Side: Sendable, Equatable {
        case results(model: String, [Finding])
        /// It could not look; why is not told, as no upstream's words are.
        case failed
    }

    /// What it says of one text.
    struct Finding: Sendable, Equatable {
        /// What it says of one kind of harm.
        struct Category: Sendable, Equatable {
            var name: String
            var isFlagged: Bool
            var score: Double
            /// What the score is of: `text`, `image`.
            var inputTypes: [String]
        }

        var isFlagged: Bool
        var model: String
        var categories: [Category]
    }

    var input: Side
    var output: Side
}
