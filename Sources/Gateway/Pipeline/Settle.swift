import Domain

extension CompletionPipeline {
    /// Settles an admitted request: decides what its end is worth and returns when that is durable
    /// (gate G3).
    ///
    /// Runs to its end whoever leaves meanwhile. A failure means only that the confirmation did not
    /// come in time; the settlement is kept by the ledger.
    ///
    /// - Parameter firstTokenAt: when the backend's first text came; nil if none did.
    func settle(
        _ admitted: consuming AdmittedRequest, as outcome: SettlementDecision.Outcome,
        count: CompletionCount, clientHadBytes: Bool, firstTokenAt: Uptime?
    ) async -> Result<Settlement, LedgerFault> {
        let executor = admitted.resolved.exchange.executor
        let (box, settlement) = closing(
            admitted, as: outcome, count: count, clientHadBytes: clientHadBytes,
            firstTokenAt: firstTokenAt)
        let ledger = self.ledger
        let fault = await uncancelled(on: executor) { () -> LedgerFault? in
            guard let reservation = box.take() else { return nil }
            do throws(LedgerFault) {
                _ = try await ledger.settle(reservation, as: settlement)
                return nil
            } catch {
                return error
            }
        }
        if let fault { return .failure(fault) }
        return .success(settlement)
    }

    /// Settles without waiting for the ledger's word, which keeps the settlement and has it on its
    /// way.
    private func leave(
        _ admitted: consuming AdmittedRequest, as outcome: SettlementDecision.Outcome,
        count: CompletionCount
    ) {
        let executor = admitted.resolved.exchange.executor
        let (box, settlement) = closing(
            admitted, as: outcome, count: count, clientHadBytes: false, firstTokenAt: nil)
        let ledger = self.ledger
        unattended(on: executor) {
            guard let reservation = box.take() else { return }
            // Nobody is left to be told.
            _ = try? await ledger.settle(reservation, as: settlement)
        }
    }

    /// Decides what a request's end is worth, and hands its reservation over to be settled.
    private func closing(
        _ admitted: consuming AdmittedRequest, as outcome: SettlementDecision.Outcome,
        count: CompletionCount, clientHadBytes: Bool, firstTokenAt: Uptime?
    ) -> (ReservationBox, Settlement) {
        let (resolved, admittedAt) = (admitted.resolved, admitted.admittedAt)
        let record = SettlementDecision(
            outcome: outcome, clientHadBytes: clientHadBytes, count: count, bound: resolved.bound,
            promptBytes: resolved.promptBytes
        ).record
        var settlement = Settlement(
            usage: record.usage, basis: record.basis, endState: record.endState,
            timeToFirstToken: firstTokenAt.map { $0 - admittedAt },
            duration: time.uptime - admittedAt)
        settlement.usage = resolved.withSound(record.usage, record.basis, count)
        settlement.served = resolved.price(servedIn: count.serviceTier)
        resolved.exchange.notes.update { notes in
            settlement.attempts = notes.attempts(of: settlement)
            notes.settlement = settlement
        }
        return (ReservationBox(admitted.reservation), settlement)
    }

    /// Settles a request that ended before the client had a byte, and gives the failure to tell it.
    func settle(
        _ admitted: consuming AdmittedRequest, stoppedBy stop: ForwardedAnswer.Stop
    ) async -> GatewayFailure {
        let outcome: SettlementDecision.Outcome
        let failure: GatewayFailure
        switch stop {
        case .keyRefused: (outcome, failure) = (.keyRefused, .keyRefused)
        case .ledger(let fault): (outcome, failure) = (.notAccepted, .meteringUnavailable(fault))
        case .backend(let cause):
            admitted.resolved.exchange.notes.update { $0.failure = cause.detail }
            outcome = .backendFailed
            failure = cause.fault.map { .invalidRequest($0) } ?? .backend(cause.kind)
        case .departed(let departure):
            (outcome, failure) = (departure.outcome, departure.failure)
        // A client may leave while its text is judged, too.
        case .objection(.clientGone): (outcome, failure) = (.clientGone, .clientGone)
        case .objection(.draining): (outcome, failure) = (.drained, .draining)
        case .objection(let objection): (outcome, failure) = (.blocked, objection)
        }
        if case .objection = stop {
            admitted.resolved.exchange.notes.update { $0.isBlocked = true }
        }
        let count = CompletionCount(bound: admitted.resolved.bound.completion)
        if case .ledger = stop {
            // A ledger that does not answer would not confirm this either, and the client is not to
            // wait for it a second time.
            leave(admitted, as: outcome, count: count)
            return failure
        }
        // A void settlement that is not confirmed yet changes nothing for the client: it gets the
        // failure it has.
        _ = await settle(
            admitted, as: outcome, count: count, clientHadBytes: false, firstTokenAt: nil)
        return failure
    }
}
