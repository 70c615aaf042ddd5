import Domain

/// What came of forwarding a request: the ledger accepted it and the backend began to answer, or
/// not both.
enum ForwardedAnswer: Sendable {
    /// The answer and its first events.
    case begun(BegunAnswer)
    /// It ended before the client had a byte.
    case stopped(Stop)

    /// Why a request ended before it began.
    enum Stop: Sendable, Equatable {
        case keyRefused
        case ledger(LedgerFault)
        case backend(BackendFailure)
        case departed(ClientPresence.Departure)
        /// A check of what goes in, for which nothing was sent.
        case objection(GatewayFailure)
    }
}

extension CompletionPipeline {
    /// Sends the request to its backend and, meanwhile, waits for the ledger to accept it (gate
    /// G1). Once it has, what failed is tried again.
    ///
    /// Waits for the backend's first events too, so that a backend that fails early is a proper
    /// status rather than a broken stream. Whatever stops it, the backend's side is cancelled
    /// before this returns.
    func forward(_ admitted: borrowing AdmittedRequest) async -> ForwardedAnswer {
        let presence = admitted.resolved.exchange.presence
        let slot = AnswerSlot()
        let (resolved, admittedAt) = (admitted.resolved, admitted.admittedAt)
        Failpoint.pass("dispatch")
        async let opening = opened(
            resolved, at: resolved.candidate, into: slot, admittedAt: admittedAt,
            startedAt: admittedAt, isRetry: false)
        do {
            switch try await ledger.acceptance(of: admitted.reservation) {
            case .accepted: break
            case .keyRefused:
                slot.cancel()
                return .stopped(.keyRefused)
            }
        } catch {
            // Returning cancels the opening and waits for its end.
            slot.cancel()
            if let departure = presence.departure { return .stopped(.departed(departure)) }
            return .stopped(.ledger(error))
        }
        Failpoint.pass("accepted")
        if let claim = admitted.resolved.exchange.claim, let fault = await faultOfClaim(claim) {
            slot.cancel()
            if let departure = presence.departure { return .stopped(.departed(departure)) }
            return .stopped(.ledger(fault))
        }
        resolved.exchange.announcement?.noteAcceptance()
        switch await opening {
        case .success(let opened):
            // A client that left meanwhile is the meter's to find: what was generated for it must
            // be counted.
            return .begun(opened)
        case .failure(let failure):
            return await retry(
                admitted,
                after: FailedAttempt(
                    candidate: resolved.candidate, failure: failure, startedAt: admittedAt,
                    usage: nil))
        }
    }

    /// Why a backend's failure came: a cancelled call looks like a failure, and is the client's
    /// leaving.
    static func stop(
        of failure: BackendFailure, _ presence: ClientPresence
    ) -> ForwardedAnswer.Stop {
        if let departure = presence.departure { return .departed(departure) }
        // A cancelled task without a departure: the server is being torn down.
        if Task.isCancelled { return .departed(.drained) }
        return .backend(failure)
    }
}
