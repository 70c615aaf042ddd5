import Foundation
import Synchronization

/// Whether somebody has asked the program to stop, and what is to be done about it.
final class StopRequest: Sendable {
    private struct State {
        var isRequested = false
        var action: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// Whether a stop was asked for.
    var isRequested: Bool { state.withLock(\.isRequested) }

    /// Asks for a stop. The first time only it does what ``act(_:)`` left.
    func request() {
        let action = state.withLock { state in
            defer { state.action = nil }
            if state.isRequested { return (@Sendable () -> Void)?.none }
            state.isRequested = true
            return state.action
        }
        action?()
    }

    /// Leaves what a stop means from now on, in place of what was left before. Done at once when it
    /// was asked for already.
    func act(_ action: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            if !state.isRequested { state.action = action }
            return state.isRequested
        }
        if isLate { action() }
    }

    /// Runs `body` while signals are watched: the first asks for a stop, the second ends the
    /// process at once, whereupon its children end by their parent-death signals.
    func whileWatchingSignals<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let signals = SignalSequence([SIGTERM, SIGINT])
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                let clock = ContinuousClock()
                var first: ContinuousClock.Instant?
                for await _ in signals.numbers {
                    if let first {
                        // Supervisors and shells often signal a process and its group: that is one
                        // request.
                        if clock.now - first > .milliseconds(500) { _exit(130) }
                        continue
                    }
                    first = clock.now
                    StartupProgress().say("Stopping; once more to stop at once.")
                    self.request()
                }
                return nil
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            while let finished = try await group.next() {
                if let result = finished { return result }
            }
            throw CancellationError()
        }
    }
}
