import Domain

/// Requests that came with an `Idempotency-Key`: of those with one key, one is charged.
extension CompletionPipeline {
    /// Claims the key before anything is decided about the request; gives the first request's end
    /// when that is over. Throws while it is not, and when the key was used for something else.
    func take(_ claim: IdempotencyClaim) async throws(GatewayFailure) -> IdempotentEnd? {
        let verdict: IdempotencyVerdict
        do {
            verdict = try await idempotency.claim(claim)
        } catch {
            throw .meteringUnavailable(error)
        }
        switch verdict {
        case .claimed: return nil
        case .ended(let end): return end
        case .inProgress(let first): throw .idempotencyInProgress(first: first)
        case .otherRequest: throw .idempotencyKeyReused
        }
    }

    /// The first request's answer once more, where it was kept.
    func replay(_ end: IdempotentEnd) throws(GatewayFailure) -> CompletionResponse {
        guard let answer = end.answer else { throw .idempotencyEnded(end) }
        return .stored(answer, of: end.requestID)
    }

    /// Makes sure, once the ledger has accepted the request, that its claim still holds; a request
    /// that rides out an outage of the ledger has none that does. Nil when all is well.
    func faultOfClaim(_ claim: IdempotencyClaim) async -> LedgerFault? {
        do throws(LedgerFault) {
            return try await idempotency.confirm(claim) ? nil : .unavailable
        } catch {
            return error
        }
    }

    /// Lets a request that failed without a charge be tried again under its key.
    func giveBack(_ claim: IdempotencyClaim, unlessChargedIn exchange: Exchange) async {
        if let settlement = exchange.notes.content.settlement, settlement.basis != .void { return }
        await uncancelled(on: exchange.executor) { [idempotency] in
            await idempotency.release(claim)
        }
    }
}
