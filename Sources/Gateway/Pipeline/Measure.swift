import Domain

extension CompletionPipeline {
    /// The request with the exact length of its prompt as its bound, where its backends can count
    /// it beforehand: no constant stands for what a template adds. Where it may be sent to several,
    /// the bound covers each of them.
    ///
    /// A backend that can count and does not is not tried: what is not bounded is not sent. Throws
    /// its failure when no other is left, and at once where it is the client's mistake.
    func measured(_ resolved: ResolvedRequest) async throws(GatewayFailure) -> ResolvedRequest {
        if resolved.others.isEmpty {
            guard let count = try await count(resolved, at: resolved.candidate).get(resolved)
            else { return resolved }
            return resolved.bounded(byPrompt: count)
        }
        var measured = resolved
        var counted: [Candidate] = []
        var most: Int64 = 0
        var failure: BackendFailure?
        for candidate in [resolved.candidate] + resolved.others {
            let result = try await count(resolved, at: candidate)
            if case .failure(let found) = result, found.isBackends {
                failure = failure ?? found
                continue
            }
            most = max(most, try result.get(resolved) ?? resolved.bound.prompt)
            counted.append(candidate)
        }
        guard let first = counted.first else {
            resolved.exchange.notes.update { $0.failure = failure?.detail }
            throw .backend(failure?.kind ?? .unreachable)
        }
        measured.candidate = first
        measured.others = Array(counted.dropFirst())
        return measured.bounded(byPrompt: most)
    }

    /// The length of the prompt at a backend; throws when nobody waits for it any more.
    private func count(
        _ resolved: ResolvedRequest, at candidate: Candidate
    ) async throws(GatewayFailure) -> Result<Int64?, BackendFailure> {
        do {
            return .success(
                try await candidate.backend.promptTokens(of: resolved.call(to: candidate)))
        } catch {
            switch Self.stop(of: error, resolved.exchange.presence) {
            case .departed(let departure): throw departure.failure
            case .backend, .keyRefused, .ledger, .objection: return .failure(error)
            }
        }
    }
}

extension ResolvedRequest {
    fileprivate func bounded(byPrompt count: Int64) -> ResolvedRequest {
        var bounded = self
        bounded.bound = TokenBound(
            prompt: min(max(1, count), TokenBound.most), completion: bound.completion)
        return bounded
    }
}

extension BackendFailure {
    /// Whether another backend might do better.
    fileprivate var isBackends: Bool {
        switch kind {
        case .contextExceeded, .invalidRequest: false
        case .unreachable, .timedOut, .notReady, .rateLimited, .busy, .malformed, .cancelled: true
        }
    }
}

extension Result where Success == Int64?, Failure == BackendFailure {
    /// The count, or the failure as the client is told it.
    fileprivate func get(_ resolved: ResolvedRequest) throws(GatewayFailure) -> Int64? {
        switch self {
        case .success(let count): return count
        case .failure(let failure):
            resolved.exchange.notes.update { $0.failure = failure.detail }
            throw .backend(failure.kind)
        }
    }
}
