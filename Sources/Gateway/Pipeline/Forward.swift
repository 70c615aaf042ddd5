import Domain

/// What came of forwarding a request: the ledger accepted it and the backend began to answer, or
/// not both.
enum ForwardedAnswer: Sendable {
    /// The answer and its first events, and when they came; no events when it ended without any.
    case begun(any BackendAnswer, [BackendEvent]?, at: Uptime)
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
    /// G1).
    ///
    /// Waits for the backend's first events too, so that a backend that fails early is a proper
    /// status rather than a broken stream. Whatever stops it, the backend's side is cancelled
    /// before this returns.
    func forward(_ admitted: borrowing AdmittedRequest) async -> ForwardedAnswer {
        let presence = admitted.resolved.exchange.presence
        let slot = AnswerSlot()
        let (backend, call) = (admitted.resolved.backend, admitted.resolved.call)
        Failpoint.pass("dispatch")
        async let opening = Self.open(call, at: backend, into: slot, time)
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
        switch await opening {
        case .success(let opened):
            // A client that left meanwhile is the meter's to find: what was generated for it must
            // be counted.
            return .begun(opened.answer, opened.events, at: opened.firstAt)
        case .failure(let failure):
            slot.cancel()
            return .stopped(Self.stop(of: failure, presence))
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

    private struct Opened: Sendable {
        let answer: any BackendAnswer
        let events: [BackendEvent]?
        let firstAt: Uptime
    }

    private static func open(
        _ call: BackendCall, at backend: any Backend, into slot: AnswerSlot,
        _ time: any TimeSource
    ) async -> Result<Opened, BackendFailure> {
        do throws(BackendFailure) {
            let answer = try await backend.forward(call)
            slot.put(answer)
            Failpoint.pass("upstream-began")
            let events = try await answer.nextOrCancelled().get()
            return .success(Opened(answer: answer, events: events, firstAt: time.uptime))
        } catch {
            return .failure(error)
        }
    }
}
