import Domain

/// Adds up what the calls of one request used: completions are added, and the prompt, which is the
/// same in each, counts once. Pure.
struct FannedTally: Sendable {
    private let choices: Int
    private var reported: [Int: TokenUsage] = [:]
    private var parts: [Int: UsageParts] = [:]
    private var soFar: [Int: Int64] = [:]

    /// Nothing is used yet of so many choices.
    init(choices: Int) { self.choices = choices }

    /// The event of one call, as an event of the whole answer. Its usage comes with the last one:
    /// of a part it would be mistaken for all.
    mutating func take(_ event: BackendEvent, of choice: Int) -> BackendEvent {
        var event = event
        for position in event.deltas.indices { event.deltas[position].index = choice }
        if let count = event.completionTokensSoFar {
            soFar[choice] = max(soFar[choice] ?? 0, count)
            event.completionTokensSoFar = soFar.values.reduce(0, +)
        }
        if let usage = event.usage {
            reported[choice] = usage
            parts[choice] = event.usageParts
            event.usage = total
            event.usageParts = totalParts
        }
        return event
    }

    private var totalParts: UsageParts {
        parts.values.reduce(.none) { sum, part in
            UsageParts(
                promptText: Self.both(sum.promptText, part.promptText, max),
                promptImage: Self.both(sum.promptImage, part.promptImage, max),
                completionText: Self.both(sum.completionText, part.completionText, +),
                promptAudio: max(sum.promptAudio, part.promptAudio),
                completionAudio: sum.completionAudio + part.completionAudio,
                acceptedPrediction: sum.acceptedPrediction + part.acceptedPrediction,
                rejectedPrediction: sum.rejectedPrediction + part.rejectedPrediction)
        }
    }

    /// Two counts together, of which one may not be told.
    private static func both(
        _ first: Int64?, _ second: Int64?, _ combine: (Int64, Int64) -> Int64
    ) -> Int64? {
        guard let first, let second else { return first ?? second }
        return combine(first, second)
    }

    private var total: TokenUsage? {
        guard reported.count == choices else { return nil }
        let all = reported.values
        // The least that any call found in the cache is what was there before this request; the
        // others found each other's prompt.
        return TokenUsage(
            prompt: all.map(\.prompt).max() ?? 0, cached: all.map(\.cached).min() ?? 0,
            cacheWrite: all.map(\.cacheWrite).max() ?? 0,
            completion: all.reduce(0) { $0 + $1.completion },
            reasoning: all.reduce(0) { $0 + $1.reasoning })
    }
}
