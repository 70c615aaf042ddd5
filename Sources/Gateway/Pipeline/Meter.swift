import Domain

extension CompletionPipeline {
    /// Counts the answer as it passes and settles it. Takes over the reservation.
    func meter(
        _ forwarded: ForwardedAnswer, for admitted: consuming AdmittedRequest
    ) async throws(GatewayFailure) -> MeteredResponse {
        admitted.resolved.exchange.notes.update { [resolved = admitted.resolved] notes in
            notes.backend = notes.backend ?? resolved.candidate.name
        }
        switch forwarded {
        case .stopped(let stop):
            throw await settle(admitted, stoppedBy: stop)
        case .begun(let begun):
            if admitted.resolved.request.streams {
                return .stream(MeteredStream(of: begun, for: admitted, through: self))
            }
            return .whole(try await collect(begun, for: admitted))
        }
    }

    /// Collects a whole answer and settles it: the client gets nothing before that.
    private func collect(
        _ first: BegunAnswer, for admitted: consuming AdmittedRequest
    ) async throws(GatewayFailure) -> CompletedAnswer {
        let collection: AnswerCollection
        let begun: BegunAnswer
        let outcome: SettlementDecision.Outcome
        switch await gather(first, for: admitted) {
        case .ended(let end, let from, let all): (outcome, begun, collection) = (end, from, all)
        case .stopped(let stop): throw await settle(admitted, stoppedBy: stop)
        }
        Failpoint.pass("before-whole-end")
        let settled = await settle(
            admitted, as: outcome, count: collection.count, clientHadBytes: false,
            firstTokenAt: begun.firstAt)
        Failpoint.pass("whole-settled")
        if outcome == .clientGone { throw .clientGone }
        switch settled {
        case .success(let settlement):
            var answer = collection.completed
            answer.choices.sort { $0.index < $1.index }
            answer.usage = settlement.usage
            answer.parts = collection.count.parts
            answer.timings = AnswerTimings(
                settlement, queue: begun.answer.queueTime, cameAtOnce: begun.beginsWithAnEnd)
            return answer
        case .failure(let fault): throw .meteringUnavailable(fault)
        }
    }
}
