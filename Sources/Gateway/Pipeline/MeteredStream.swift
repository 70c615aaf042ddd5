import Domain

/// A stream as its reader sees it: pieces, then one end. Owns the reservation until it is settled,
/// which is before the reader sees the end (gate G3).
///
/// Call ``next()`` until it gives an end or a failure. A reader that cannot go on calls
/// ``abandon()`` instead.
struct MeteredStream: ~Copyable, Sendable {
    /// What comes next.
    enum Step: Sendable, Equatable {
        /// Pieces of text, counted and noted (gate G2): for the socket now.
        case pieces([ChoiceDelta])
        /// The good end, settled.
        case end(End)
        /// Something broke; settled as far as the ledger answers. The client sees no good end.
        case failure(GatewayFailure)
    }

    /// The end of a stream.
    struct End: Sendable, Equatable {
        /// Why each choice ended.
        let finishReasons: [ChoiceDelta]
        /// What was charged.
        let usage: TokenUsage
        let parts: UsageParts
        /// What the backend's moderation found.
        let moderation: ModerationReport?
        let timings: AnswerTimings
    }

    private let answer: any BackendAnswer
    private let candidate: Candidate
    private let pipeline: CompletionPipeline
    private let resolved: ResolvedRequest
    private var admitted: AdmittedRequest?
    private var pending: [BackendEvent]?
    private var isPending = true
    private var count: CompletionCount
    private var finishReasons: [ChoiceDelta] = []
    private var moderation: ModerationReport?
    private var isCut = false
    private var clientHadBytes = false
    private var firstTokenAt: Uptime?
    /// When the first events came, if they hold text.
    private var firstTextAt: Uptime?
    private var pieces: [ChoiceDelta] = []
    private let cameAtOnce: Bool

    /// Makes the stream of an answer whose first events are already here; nil when it ended without
    /// any.
    init(
        of begun: BegunAnswer, for admitted: consuming AdmittedRequest,
        through pipeline: CompletionPipeline
    ) {
        answer = begun.answer
        candidate = begun.candidate
        self.pipeline = pipeline
        resolved = admitted.resolved
        pending = begun.events
        cameAtOnce = begun.beginsWithAnEnd
        count = CompletionCount(bound: admitted.resolved.bound.completion)
        self.admitted = consume admitted
        if beginsWithText { firstTextAt = begun.firstAt }
    }

    /// Whether the backend's first text is here already.
    var beginsWithText: Bool {
        guard let pending else { return false }
        return pending.contains { event in
            event.deltas.contains { $0.saysSomething }
        }
    }

    /// How soon the backend serves it, where its first events tell.
    var serviceTier: ServiceTier? { pending?.lazy.compactMap(\.serviceTier).first }

    /// The next step. Waits for the backend, and at the end for the ledger.
    mutating func next() async -> Step {
        while !isCut {
            let events: [BackendEvent]
            switch await read() {
            case .success(.some(let batch)): events = batch
            case .success(.none): return await finish(after: nil)
            case .failure(let failure): return await finish(after: failure)
            }
            if let failure = take(events) { return await finish(after: failure) }
            let pieces = takePieces()
            if !pieces.isEmpty { return .pieces(pieces) }
        }
        answer.cancel()
        return await end(as: .cutAtBound)
    }

    /// Ends a stream whose reader is gone: cancels the backend and settles what was generated.
    mutating func abandon() async {
        answer.cancel()
        let departure = resolved.exchange.presence.departure ?? .clientGone
        _ = await settle(as: departure.outcome)
    }

    private mutating func read() async -> Result<[BackendEvent]?, BackendFailure> {
        if isPending {
            isPending = false
            return .success(pending.take())
        }
        return await answer.nextOrCancelled()
    }

    /// Counts events and keeps their text as pieces; stops before the event that passes the bound.
    private mutating func take(_ events: [BackendEvent]) -> BackendFailure? {
        for event in events {
            guard count.take(event) else {
                isCut = true
                return nil
            }
            moderation = event.moderation ?? moderation
            for delta in event.deltas {
                guard delta.index < resolved.request.choices else { return .unaskedChoice }
                let isEnded = finishReasons.contains { $0.index == delta.index }
                if delta.saysSomething {
                    guard !isEnded || delta.isAfterword else {
                        return BackendFailure(kind: .malformed, detail: "text after a choice's end")
                    }
                    var piece = delta
                    piece.finishReason = nil
                    pieces.append(piece)
                }
                if let reason = delta.finishReason, !isEnded {
                    finishReasons.append(ChoiceDelta(index: delta.index, finishReason: reason))
                }
            }
        }
        return nil
    }

    /// The pieces for the client, noted in the ledger before they may go to the socket (gate G2).
    private mutating func takePieces() -> [ChoiceDelta] {
        guard !pieces.isEmpty, admitted != nil else { return [] }
        if firstTokenAt == nil { firstTokenAt = firstTextAt ?? pipeline.time.uptime }
        clientHadBytes = true
        Failpoint.pass("before-progress")
        note()
        Failpoint.pass("after-progress")
        defer { pieces = [] }
        return pieces
    }

    private func note() {
        switch admitted {
        case .some(let admitted):
            let delivered = SettlementDecision(
                outcome: .clientGone, clientHadBytes: true, count: count, bound: resolved.bound,
                promptBytes: resolved.promptBytes
            ).counted
            pipeline.ledger.note(delivered, of: admitted.reservation)
        case .none: break
        }
    }

    /// Ends after the backend's last event, or its failure.
    private mutating func finish(after failure: BackendFailure?) async -> Step {
        // When every choice has ended only the rest of the protocol is missing: the answer is
        // whole.
        let isWhole = finishReasons.count >= resolved.request.choices
        if isWhole && failure?.kind != .malformed { return await end(as: .finished) }
        let failure = failure ?? BackendFailure(kind: .malformed, detail: "the stream has no end")
        answer.cancel()
        switch CompletionPipeline.stop(of: failure, resolved.exchange.presence) {
        case .departed(let departure):
            if departure == .clientGone { Failpoint.pass("client-gone") }
            _ = await settle(as: departure.outcome)
            return .failure(departure.failure)
        case .backend, .keyRefused, .ledger, .objection:
            resolved.exchange.notes.update { $0.failure = failure.detail }
            candidate.health.breakOff(at: pipeline.time.uptime)
            _ = await settle(as: .backendFailed)
            return .failure(.backend(failure.kind))
        }
    }

    private mutating func end(as outcome: SettlementDecision.Outcome) async -> Step {
        switch await settle(as: outcome) {
        case .success(let settlement):
            // Those that had not ended were cut.
            for index in 0..<resolved.request.choices
            where !finishReasons.contains(where: { $0.index == index }) {
                finishReasons.append(ChoiceDelta(index: index, finishReason: .length))
            }
            return .end(
                End(
                    finishReasons: finishReasons, usage: settlement.usage,
                    parts: count.parts, moderation: moderation,
                    timings: AnswerTimings(
                        settlement, queue: answer.queueTime, cameAtOnce: cameAtOnce)))
        case .failure(let fault): return .failure(.meteringUnavailable(fault))
        }
    }

    private mutating func settle(
        as outcome: SettlementDecision.Outcome
    ) async -> Result<Settlement, LedgerFault> {
        guard let admitted = admitted.take() else {
            preconditionFailure("a stream is read beyond its end")
        }
        Failpoint.pass("before-end")
        return await pipeline.settle(
            admitted, as: outcome, count: count, clientHadBytes: clientHadBytes,
            firstTokenAt: firstTokenAt)
    }
}
