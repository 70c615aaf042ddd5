import Domain

/// What came of collecting a whole answer.
enum GatheredAnswer: Sendable {
    /// It ended, or was ended, and is to be settled.
    case ended(SettlementDecision.Outcome, BegunAnswer, AnswerCollection)
    /// There is none.
    case stopped(ForwardedAnswer.Stop)
}

extension CompletionPipeline {
    /// Collects a whole answer. One that breaks off is begun again as long as that may be: its
    /// client has had nothing of it.
    func gather(
        _ first: BegunAnswer, for admitted: borrowing AdmittedRequest
    ) async -> GatheredAnswer {
        let resolved = admitted.resolved
        var begun = first
        while true {
            var collection = AnswerCollection(
                bound: resolved.bound.completion, choices: resolved.request.choices)
            let failure: BackendFailure
            switch await drain(begun, into: &collection, since: admitted.admittedAt) {
            case .finished: return .ended(.finished, begun, collection)
            case .cutAtBound:
                begun.answer.cancel()
                return .ended(.cutAtBound, begun, collection)
            case .failed(let found): failure = found
            }
            begun.answer.cancel()
            switch Self.stop(of: failure, resolved.exchange.presence) {
            // Text that was generated for a client that left is its to pay for; any other failure
            // is free.
            case .departed(.clientGone) where collection.count.hasText:
                return .ended(.clientGone, begun, collection)
            case .backend: begun.candidate.health.breakOff(at: time.uptime)
            case .departed, .keyRefused, .ledger, .objection: break
            }
            let failed = FailedAttempt(
                candidate: begun.candidate, failure: failure, startedAt: begun.startedAt,
                usage: Self.usage(of: collection.count, in: resolved))
            switch await retry(admitted, after: failed) {
            case .begun(let next): begun = next
            case .stopped(let stop): return .stopped(stop)
            }
        }
    }

    /// Drains an answer, within the deadline for the whole.
    private func drain(
        _ begun: BegunAnswer, into collection: inout AnswerCollection, since admittedAt: Uptime
    ) async -> AnswerCollection.End {
        guard let deadline = routing.policy.deadline else {
            return await collection.drain(begun.answer, first: begun.events)
        }
        let (answer, pause) = (begun.answer, routing.pause)
        let rest = max(.zero, deadline - (time.uptime - admittedAt))
        async let _: Void = {
            await pause(rest)
            if !Task.isCancelled { answer.cancel() }
        }()
        let end = await collection.drain(answer, first: begun.events)
        guard case .failed(let failure) = end, failure.kind == .cancelled,
            time.uptime - admittedAt >= deadline
        else { return end }
        return .failed(.late)
    }

    /// What is known of the tokens of an answer that broke off.
    private static func usage(
        of count: CompletionCount, in resolved: ResolvedRequest
    ) -> TokenUsage? {
        guard count.hasText || count.usage != nil || count.promptUsage != nil else { return nil }
        return SettlementDecision(
            outcome: .backendFailed, clientHadBytes: true, count: count, bound: resolved.bound,
            promptBytes: resolved.promptBytes
        ).counted
    }
}
