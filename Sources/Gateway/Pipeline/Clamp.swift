import Domain

extension CompletionPipeline {
    /// How often a request's bound is made smaller: others may take what the last denial left.
    static let mostClamps = 3

    /// The request with the largest bound on completion tokens that a denial's numbers leave room
    /// for, for a key that wants that rather than a refusal.
    ///
    /// Nil where size is not what is in the way, where even one token is too much, and where
    /// nothing smaller than before comes out.
    func clamped(_ resolved: ResolvedRequest, by denial: Denial) -> ResolvedRequest? {
        guard resolved.principal.clampsCompletion, let room = denial.room else { return nil }
        func units(_ choiceBound: Int64) -> Int64 {
            let bound = resolved.bounded(byChoice: choiceBound).bound
            switch denial.resource {
            case .tokens: return bound.total
            case .cost: return resolved.price?.highestCost(within: bound).rawValue ?? 0
            case .requests: return 1
            }
        }
        // More tokens are never less units, so the largest that fits is found by halving.
        var (fits, tooMany) = (Int64(0), resolved.choiceBound)
        guard tooMany > 1, units(tooMany) > room else { return nil }
        while tooMany - fits > 1 {
            let middle = fits + (tooMany - fits) / 2
            if units(middle) <= room { fits = middle } else { tooMany = middle }
        }
        return fits > 0 ? resolved.bounded(byChoice: fits) : nil
    }
}

extension ResolvedRequest {
    /// The same with another bound on the completion tokens of each choice.
    fileprivate func bounded(byChoice choiceBound: Int64) -> ResolvedRequest {
        var bounded = self
        let saved = Int64(request.choices) * (self.choiceBound - choiceBound)
        bounded.choiceBound = choiceBound
        bounded.bound = TokenBound(prompt: bound.prompt, completion: bound.completion - saved)
        return bounded
    }
}

extension Denial {
    /// The units that a request may have and pass, as far as this denial tells; nil where a smaller
    /// one would be refused as well.
    fileprivate var room: Int64? {
        switch reason {
        case .rateLimited: nil
        case .exceedsLimit: limit
        case .exceedsKeyShare(let most): most
        case .keyShareReserved(let most): reserved.map { most - $0 }
        case .quotaExhausted, .quotaReserved:
            used.map { limit - $0 - (reserved ?? 0) }
        }
    }
}
