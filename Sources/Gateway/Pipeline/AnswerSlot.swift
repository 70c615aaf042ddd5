import Synchronization

/// Holds a backend's answer from the moment there is one, so that it can be cancelled by whoever
/// finds first that nobody wants it.
///
/// A finds the key revoked and cancels; meanwhile B, the task that calls the backend, gets the
/// answer: whoever comes second cancels it.
final class AnswerSlot: Sendable {
    private struct State {
        var answer: (any BackendAnswer)?
        var isCancelled = false
    }

    private let state = Mutex(State())

    /// Puts the answer in; cancels it when that was asked for before.
    func put(_ answer: any BackendAnswer) {
        let isCancelled = state.withLock { state in
            state.answer = answer
            return state.isCancelled
        }
        if isCancelled { answer.cancel() }
    }

    /// Cancels the answer, now or when it comes.
    func cancel() {
        let answer = state.withLock { state in
            state.isCancelled = true
            return state.answer
        }
        answer?.cancel()
    }
}

extension BackendAnswer {
    /// The next events; cancels the answer at once when the task is cancelled while it waits.
    func nextOrCancelled() async -> Result<[BackendEvent]?, BackendFailure> {
        await withTaskCancellationHandler {
            do throws(BackendFailure) {
                return .success(try await next())
            } catch {
                return .failure(error)
            }
        } onCancel: {
            cancel()
        }
    }
}
