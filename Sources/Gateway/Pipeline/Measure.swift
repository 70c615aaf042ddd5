import Domain

extension CompletionPipeline {
    /// The request with the exact length of its prompt as its bound, where the backend can count it
    /// beforehand: no constant stands for what its template adds.
    ///
    /// Throws the backend's failure when it can count and does not: what is not bounded is not sent.
    func measured(_ resolved: ResolvedRequest) async throws(GatewayFailure) -> ResolvedRequest {
        let count: Int64?
        do {
            count = try await resolved.backend.promptTokens(of: resolved.call)
        } catch {
            switch Self.stop(of: error, resolved.exchange.presence) {
            case .departed(.clientGone): throw .clientGone
            case .departed(.drained): throw .draining
            case .backend, .keyRefused, .ledger, .objection:
                resolved.exchange.notes.update { $0.failure = error.detail }
                throw .backend(error.kind)
            }
        }
        guard let count else { return resolved }
        var measured = resolved
        measured.bound = TokenBound(
            prompt: min(max(1, count), TokenBound.most), completion: resolved.bound.completion)
        return measured
    }
}
