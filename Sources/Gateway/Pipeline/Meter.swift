import Domain

extension CompletionPipeline {
    /// Counts the answer as it passes and settles it. Takes over the reservation.
    func meter(
        _ forwarded: ForwardedAnswer, for admitted: consuming AdmittedRequest
    ) async throws(GatewayFailure) -> MeteredResponse {
        admitted.resolved.exchange.notes.update { [resolved = admitted.resolved] notes in
            notes.model = resolved.route.alias
            notes.backend = resolved.backend.name
        }
        switch forwarded {
        case .stopped(let stop):
            throw await settle(admitted, stoppedBy: stop)
        case .begun(let answer, let events, let firstAt):
            if admitted.resolved.request.streams {
                return .stream(
                    MeteredStream(
                        of: answer, first: events, at: firstAt, for: admitted, through: self))
            }
            return .whole(try await collect(answer, first: events, at: firstAt, for: admitted))
        }
    }

    /// Collects a whole answer and settles it: the client gets nothing before that.
    private func collect(
        _ answer: any BackendAnswer, first: [BackendEvent]?, at firstTokenAt: Uptime,
        for admitted: consuming AdmittedRequest
    ) async throws(GatewayFailure) -> CompletedAnswer {
        let queueTime = answer.queueTime
        var collection = AnswerCollection(
            bound: admitted.resolved.bound.completion, choices: admitted.resolved.request.choices)
        let outcome: SettlementDecision.Outcome
        switch await collection.drain(answer, first: first) {
        case .finished: outcome = .finished
        case .cutAtBound:
            answer.cancel()
            outcome = .cutAtBound
        case .failed(let failure):
            answer.cancel()
            let stop = Self.stop(of: failure, admitted.resolved.exchange.presence)
            // Text that was generated for a client that left is its to pay for; any other failure
            // is free.
            guard stop == .departed(.clientGone), collection.count.hasText else {
                throw await settle(admitted, stoppedBy: stop)
            }
            outcome = .clientGone
        }
        Failpoint.pass("before-whole-end")
        let settled = await settle(
            admitted, as: outcome, count: collection.count, clientHadBytes: false,
            firstTokenAt: firstTokenAt)
        Failpoint.pass("whole-settled")
        if outcome == .clientGone { throw .clientGone }
        switch settled {
        case .success(let settlement):
            var answer = collection.completed
            answer.choices.sort { $0.index < $1.index }
            answer.usage = settlement.usage
            answer.parts = collection.count.parts
            answer.timings = AnswerTimings(settlement, queue: queueTime)
            return answer
        case .failure(let fault): throw .meteringUnavailable(fault)
        }
    }
}
