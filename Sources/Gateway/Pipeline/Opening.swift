import Domain

/// An answer that has begun.
struct BegunAnswer: Sendable {
    let answer: any BackendAnswer
    /// Its first events; nil when it ended without any.
    let events: [BackendEvent]?
    /// Who gives it.
    let candidate: Candidate
    /// When it was called.
    let startedAt: Uptime
    /// When its first events came.
    let firstAt: Uptime

    /// Whether a choice ends with its first events: all of it came in one piece.
    var beginsWithAnEnd: Bool {
        events?.contains { event in event.deltas.contains { $0.finishReason != nil } } ?? false
    }
}

extension CompletionPipeline {
    /// Calls a backend and waits for its first events, within the deadline for the whole.
    ///
    /// - Parameters:
    ///   - slot: holds the answer once there is one.
    ///   - startedAt: now.
    func opened(
        _ resolved: ResolvedRequest, at candidate: Candidate, into slot: AnswerSlot,
        admittedAt: Uptime, startedAt: Uptime, isRetry: Bool
    ) async -> Result<BegunAnswer, BackendFailure> {
        guard let deadline = routing.policy.deadline else {
            return await open(
                resolved, at: candidate, into: slot, startedAt: startedAt, isRetry: isRetry)
        }
        let rest = max(.zero, deadline - (startedAt - admittedAt))
        return await withTaskGroup(of: Result<BegunAnswer, BackendFailure>?.self) { group in
            group.addTask {
                await self.open(
                    resolved, at: candidate, into: slot, startedAt: startedAt, isRetry: isRetry)
            }
            group.addTask {
                await self.routing.pause(rest)
                return nil
            }
            // Whichever comes first; the other ends at once, and is heard all the same.
            var isLate = false
            while let result = await group.next() {
                group.cancelAll()
                guard let result else {
                    isLate = true
                    continue
                }
                if isLate, case .failure(let failure) = result, failure.kind == .cancelled {
                    if !Task.isCancelled { candidate.health.breakOff(at: time.uptime) }
                    return .failure(.late)
                }
                return result
            }
            return .failure(.late)
        }
    }

    /// Calls a backend and tells its health what came of it.
    private func open(
        _ resolved: ResolvedRequest, at candidate: Candidate, into slot: AnswerSlot,
        startedAt: Uptime, isRetry: Bool
    ) async -> Result<BegunAnswer, BackendFailure> {
        let health = candidate.health
        guard let permit = health.begin(isRetry: isRetry, at: startedAt) else {
            return .failure(.leftAlone(for: health.refusal(time)))
        }
        do throws(BackendFailure) {
            let answer = try await candidate.backend.forward(resolved.call(to: candidate))
            slot.put(answer)
            resolved.exchange.announcement?.noteSending()
            Failpoint.pass("upstream-began")
            let events = try await answer.nextOrCancelled().get()
            let now = time.uptime
            health.end(permit, as: .success, at: now)
            return .success(
                BegunAnswer(
                    answer: answer, events: events, candidate: candidate, startedAt: startedAt,
                    firstAt: now))
        } catch {
            // A client that leaves makes calls fail that would not have.
            let isGone = resolved.exchange.presence.departure != nil
            health.end(permit, as: isGone ? .nothing : error.health, at: time.uptime)
            slot.cancel()
            return .failure(error)
        }
    }
}

extension BackendFailure {
    /// The deadline for the whole has passed.
    static let late = BackendFailure(kind: .timedOut, detail: "the request's deadline has passed")
}
