import Glibc

/// Simulated time and the order of everything: one thread, one seed.
///
/// Events are closures at an instant. Between two events all tasks that can run do, one job at a
/// time in an order that the seed draws, which is a schedule that a machine with many threads could
/// have had too.
// Unchecked: a simulation runs on one thread from its first job to its last.
final class SimulationKernel: @unchecked Sendable {
    /// Microseconds since the beginning.
    private(set) var now: Int64 = 0
    var random: SeededRandom
    private(set) var steps = 0
    private var events: [Event] = []
    private var scheduled = 0
    private var ready: [ReadyJob] = []

    private struct Event {
        let time: Int64
        /// Equal times go in the order they were asked for.
        let order: Int
        let action: () -> Void
    }

    private struct ReadyJob {
        let process: SimulatedProcess
        let job: UnownedJob
    }

    private let thread = pthread_self()

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    /// Runs `action` after `delay` microseconds.
    func after(_ delay: Int64, _ action: @escaping () -> Void) {
        scheduled += 1
        events.append(Event(time: now + max(0, delay), order: scheduled, action: action))
        var child = events.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard precedes(child, parent) else { break }
            events.swapAt(child, parent)
            child = parent
        }
    }

    /// A task of a process can go on.
    func enqueue(_ job: UnownedJob, of process: SimulatedProcess) {
        precondition(pthread_self() == thread, "a task of the simulation runs elsewhere")
        ready.append(ReadyJob(process: process, job: job))
    }

    /// Runs until `deadline` or until `isOver` after an event.
    func run(until deadline: Int64, unless isOver: () -> Bool) {
        runJobs()
        while let next = events.first, next.time <= deadline, !isOver() {
            removeFirst()
            now = next.time
            steps += 1
            next.action()
            runJobs()
        }
    }

    /// Runs every job that can run. Those of a paused process wait with it.
    func runJobs() {
        while !ready.isEmpty {
            let next = ready.remove(at: ready.count == 1 ? 0 : random.below(ready.count))
            if next.process.isPaused {
                next.process.hold(next.job)
                continue
            }
            steps += 1
            next.process.beforeJob()
            next.job.runSynchronously(on: next.process.asUnownedTaskExecutor())
        }
    }

    private func precedes(_ left: Int, _ right: Int) -> Bool {
        let (a, b) = (events[left], events[right])
        return a.time != b.time ? a.time < b.time : a.order < b.order
    }

    private func removeFirst() {
        events.swapAt(0, events.count - 1)
        events.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < events.count && precedes(child, least) {
                least = child
            }
            guard least != parent else { return }
            events.swapAt(parent, least)
            parent = least
        }
    }
}
