import ServiceLifecycle
import Synchronization

/// Runs calls whose answers nobody waits for, a few at a time; what comes while all places are
/// taken is not run. At a stop those that run are cancelled.
final class ShadowRunner: Service {
    /// One call, to its end.
    typealias Call = @Sendable () async -> Void

    private let most: Int
    private let running = Atomic<Int>(0)
    private let calls: AsyncStream<Call>
    private let queue: AsyncStream<Call>.Continuation

    /// Runs at most so many at a time.
    init(most: Int) {
        self.most = most
        (calls, queue) = AsyncStream.makeStream()
    }

    /// Takes a call if there is a place for it. Never waits.
    func offer(_ call: @escaping Call) -> Bool {
        guard running.add(1, ordering: .relaxed).newValue <= most,
            case .enqueued = queue.yield(call)
        else {
            running.subtract(1, ordering: .relaxed)
            return false
        }
        return true
    }

    /// Runs calls until the gateway stops.
    func run() async throws {
        await withDiscardingTaskGroup { group in
            for await call in calls.cancelOnGracefulShutdown() {
                group.addTask {
                    await call()
                    self.running.subtract(1, ordering: .relaxed)
                }
            }
            queue.finish()
            group.cancelAll()
        }
    }
}
