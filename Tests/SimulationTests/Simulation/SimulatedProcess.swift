import Domain

@testable import Ledger

/// One life of a gateway's process: runs its tasks, keeps its clocks, can be stopped for a while or
/// for ever.
///
/// A killed process's tasks are not thrown away, since a continuation must be resumed once. They
/// run on as a ghost: its sleeps end at once, its connections fail, its disk and its clients are
/// gone.
// Unchecked: a simulation runs on one thread from its first job to its last.
final class SimulatedProcess: TaskExecutor, TimeSource, @unchecked Sendable {
    let kernel: SimulationKernel
    let name: String
    private(set) var isPaused = false
    private(set) var isDead = false
    /// How far the host's wall clock is off, in microseconds.
    var wallError: Int64 = 0
    /// Drawn from by the node; a step over a connection that is run again draws the same again.
    var random: SeededRandom
    var stepRandom: SeededRandom?
    private var ghostTime: Int64 = 0
    private var sleepers: [Int: CheckedContinuation<Void, Never>] = [:]
    private var sleeperCount = 0
    private var held: [UnownedJob] = []
    private var heldActions: [() -> Void] = []
    private var isTerminated = false
    private var terminationWait: CheckedContinuation<Void, Never>?

    static let origin = Timestamp(microseconds: 1_795_262_400_000_000)

    init(_ kernel: SimulationKernel, name: String) {
        self.name = name
        self.kernel = kernel
        random = kernel.random.fork()
    }

    // MARK: Tasks

    func enqueue(_ job: consuming ExecutorJob) { kernel.enqueue(UnownedJob(job), of: self) }

    func hold(_ job: UnownedJob) { held.append(job) }

    /// Runs `action` now, or when the process goes on.
    func deliver(_ action: @escaping () -> Void) {
        if isPaused { heldActions.append(action) } else { action() }
    }

    // MARK: Time

    var uptime: Uptime { Uptime(microseconds: 1_000_000_000 + kernel.now + ghostTime) }

    var wall: Timestamp { Self.origin + .microseconds(kernel.now + wallError) }

    func pause(_ duration: Duration) async {
        if isDead {
            ghostTime += max(duration.microseconds, 1_000_000)
            await Task.yield()
            return
        }
        sleeperCount += 1
        let number = sleeperCount
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard !Task.isCancelled, !isDead else {
                    continuation.resume()
                    return
                }
                sleepers[number] = continuation
                kernel.after(duration.microseconds) { [self] in deliver { [self] in wake(number) } }
            }
        } onCancel: {
            wake(number)
        }
    }

    private func wake(_ number: Int) { sleepers.removeValue(forKey: number)?.resume() }

    func draw() -> UInt64 {
        guard var step = stepRandom else { return random.next() }
        defer { stepRandom = step }
        return step.next()
    }

    /// Returns once the process is asked to stop, or is dead.
    func untilTerminated() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if isTerminated || isDead || Task.isCancelled {
                    continuation.resume()
                } else {
                    terminationWait = continuation
                }
            }
        } onCancel: {
            terminate()
        }
    }

    // MARK: Faults

    /// SIGTERM.
    func terminate() {
        isTerminated = true
        deliver { [self] in terminationWait.take()?.resume() }
    }

    /// Jobs until the process dies, and what kills it.
    private(set) var death: (jobs: Int, kill: () -> Void)?

    /// Lets the process die after some more of its jobs.
    func dies(afterJobs jobs: Int, _ kill: @escaping () -> Void) { death = (jobs, kill) }

    /// Lets the process live after all.
    func spare() { death = nil }

    /// A job is about to run; one that comes at the process's death runs as its ghost.
    func beforeJob() {
        guard let (jobs, kill) = death, !isDead else { return }
        death = jobs == 0 ? nil : (jobs - 1, kill)
        if jobs == 0 { kill() }
    }

    /// SIGSTOP: nothing of it runs, what it sent goes on.
    func pause() { isPaused = true }

    /// SIGCONT.
    func resume() {
        guard isPaused else { return }
        isPaused = false
        let (jobs, actions) = (held, heldActions)
        (held, heldActions) = ([], [])
        for job in jobs { kernel.enqueue(job, of: self) }
        for action in actions { action() }
    }

    /// SIGKILL.
    func kill() {
        isDead = true
        resume()
        let waiting = sleepers.sorted { $0.key < $1.key }
        sleepers = [:]
        for (_, continuation) in waiting { continuation.resume() }
    }
}
