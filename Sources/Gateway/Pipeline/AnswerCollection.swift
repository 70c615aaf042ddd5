/// Collects a whole answer, counting it.
struct AnswerCollection: Sendable {
    /// How collecting ended.
    enum End: Sendable, Equatable {
        case finished
        case cutAtBound
        case failed(BackendFailure)
    }

    /// What has come so far.
    private(set) var completed = CompletedAnswer()
    /// The same, counted.
    private(set) var count: CompletionCount
    private let choices: Int

    /// Starts at nothing; `bound` is the most completion tokens of all `choices`.
    init(bound: Int64, choices: Int) {
        count = CompletionCount(bound: bound)
        self.choices = choices
    }

    /// Takes `first` and everything after it until the end.
    mutating func drain(_ answer: any BackendAnswer, first: [BackendEvent]?) async -> End {
        var events = first
        while let batch = events {
            if let end = take(batch) { return end }
            switch await answer.nextOrCancelled() {
            case .success(let next): events = next
            case .failure(let failure):
                // When every choice has ended only the rest of the protocol is missing: the answer
                // is whole.
                return completed.isComplete(of: choices) ? .finished : .failed(failure)
            }
        }
        guard completed.isComplete(of: choices) else {
            return .failed(BackendFailure(kind: .malformed, detail: "the answer has no end"))
        }
        return .finished
    }

    /// Takes events until the bound is passed.
    private mutating func take(_ events: [BackendEvent]) -> End? {
        for event in events {
            let hadText = count.hasText
            if !count.take(event) {
                if hadText {
                    completed.cut(of: choices)
                    return .cutAtBound
                }
                // An answer in one event that is a little too long is passed on: its overage is
                // kept in the ledger.
                if count.isFlood {
                    let detail = "far more text than the bound allows"
                    return .failed(BackendFailure(kind: .malformed, detail: detail))
                }
            }
            completed.moderation = event.moderation ?? completed.moderation
            completed.serviceTier = completed.serviceTier ?? event.serviceTier
            for delta in event.deltas {
                guard delta.index < choices else { return .failed(.unaskedChoice) }
                completed.append(delta)
            }
        }
        return nil
    }
}
