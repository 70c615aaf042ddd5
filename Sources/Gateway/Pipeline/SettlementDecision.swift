import Domain

/// What a request's end is worth: the table of `ledger.md` §3.4 as one pure function.
struct SettlementDecision: Sendable {
    /// How a request ended, as the pipeline saw it.
    enum Outcome: Sendable, Equatable {
        /// The backend's answer came to its good end.
        case finished
        /// We cut it at the bound.
        case cutAtBound
        /// The client left.
        case clientGone
        /// The gateway stopped.
        case drained
        /// The backend failed.
        case backendFailed
        /// The ledger refused the key.
        case keyRefused
        /// The key was revoked or suspended while the request ran.
        case keyEnded
        /// The ledger did not accept in time.
        case notAccepted
        /// A check of what goes in was not passed, or could not be made.
        case blocked
    }

    let outcome: Outcome
    /// Whether the client has had a byte of the answer.
    let clientHadBytes: Bool
    /// The answer as counted.
    let count: CompletionCount
    let bound: TokenBound
    /// Bytes of the prompt.
    let promptBytes: Int64

    /// The usage to charge, how it was counted, and the end state.
    var record: (usage: TokenUsage, basis: UsageBasis, endState: EndState) {
        switch outcome {
        case .finished:
            return measured(.finished)
        case .cutAtBound:
            // Even a reported count would be of more than we let pass.
            return (counted, .counted, .cutAtBound)
        case .clientGone:
            // Tokens that were generated for it cost it, delivered or not; before any, leaving is
            // free.
            return clientHadBytes || count.hasText ? measured(.clientGone) : void(.clientGone)
        case .drained:
            return clientHadBytes ? measured(.drained) : void(.drained)
        case .keyEnded:
            return clientHadBytes ? measured(.revoked) : void(.revoked)
        case .backendFailed:
            return clientHadBytes
                ? (counted, .counted, .backendFailed) : void(.failedBeforeFirstByte)
        case .keyRefused:
            return void(.revoked)
        case .notAccepted, .blocked:
            return void(.failedBeforeFirstByte)
        }
    }

    private func measured(
        _ endState: EndState
    ) -> (usage: TokenUsage, basis: UsageBasis, endState: EndState) {
        // A count that came before the end may be of a part only; it holds if it covers what we
        // saw.
        guard let usage = count.usage, outcome == .finished || usage.completion >= count.leastTokens
        else { return (counted, .counted, endState) }
        return (withReasoning(usage), .reported, endState)
    }

    private func void(
        _ endState: EndState
    ) -> (usage: TokenUsage, basis: UsageBasis, endState: EndState) {
        (.none, .void, endState)
    }

    /// Our own count, within the bound. The prompt is the backend's figure where it gave one, or
    /// else a quarter of its bytes, which is what English text comes to.
    var counted: TokenUsage {
        let told = count.usage ?? count.promptUsage
        let prompt = told?.prompt ?? max(1, (promptBytes + 3) / 4)
        return TokenUsage(
            prompt: min(bound.prompt, prompt), cached: told?.cached ?? 0,
            cacheWrite: told?.cacheWrite ?? 0,
            completion: min(bound.completion, count.tokens), reasoning: count.reasoning)
    }

    /// A report without reasoning (llama-server gives none) with our own count of it.
    private func withReasoning(_ usage: TokenUsage) -> TokenUsage {
        guard usage.reasoning == 0, count.reasoning > 0 else { return usage }
        return TokenUsage(
            prompt: usage.prompt, cached: usage.cached, cacheWrite: usage.cacheWrite,
            completion: usage.completion, reasoning: count.reasoning)
    }
}
