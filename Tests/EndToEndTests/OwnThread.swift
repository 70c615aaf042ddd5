import Foundation
import Synchronization

/// Runs blocking work on a thread of its own, never on the cooperative pool. It stays in the task,
/// so that what it expects is told of the test.
func onOwnThread<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
    try await withTaskExecutorPreference(ThreadPerJob()) { try await concurrently(body) }
}

@concurrent private func concurrently<Value: Sendable>(
    _ body: @Sendable () throws -> Value
) async throws -> Value { try body() }

/// Gives every job a thread that ends with it.
private final class ThreadPerJob: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let thread = Thread { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
        thread.stackSize = 1 << 20
        thread.start()
    }
}

/// Runs `body` on `count` threads at once and returns what each gave, in their order.
func onThreads<Value: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (Int) throws -> Value
) throws -> [Value] {
    let outcomes = Mutex<[Int: Result<Value, any Error>]>([:])
    let group = DispatchGroup()
    for index in 0..<count {
        group.enter()
        let thread = Thread {
            let outcome = Result { try body(index) }
            outcomes.withLock { $0[index] = outcome }
            group.leave()
        }
        thread.stackSize = 512 << 10
        thread.start()
    }
    group.wait()
    return try outcomes.withLock { outcomes in
        try outcomes.sorted { $0.key < $1.key }.map { try $0.value.get() }
    }
}

/// Asks again and again, for at most `bound`, whether something has come about that nobody
/// announces: rows of a database, processes of the machine. Throws what was awaited when it has
/// not.
func eventually<Value>(
    _ what: String, within bound: Duration = .seconds(10), _ ask: () throws -> Value?
) throws -> Value {
    let end = ContinuousClock.now + bound
    while true {
        if let value = try ask() { return value }
        guard ContinuousClock.now < end else { throw NotInTime(what: what, bound: bound) }
        // Lets others run: the two cores are theirs, too.
        _ = poll(nil, 0, 5)
    }
}

/// Something did not come about in time.
struct NotInTime: Error, CustomStringConvertible {
    let what: String
    let bound: Duration

    var description: String { "not within \(bound): \(what)" }
}
