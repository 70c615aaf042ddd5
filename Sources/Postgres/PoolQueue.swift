/// The work waiting for a connection: bounded, first come first served. Pure: the caller supplies
/// deadlines and says what has passed.
struct PoolQueue {
    /// One piece of work. `run` is given a connection or the reason why there is none, and returns
    /// what tells the caller about it; each is called once.
    struct Job: Sendable {
        let id: UInt64
        let run: @Sendable (Result<PostgresConnection, PostgresError>) -> @Sendable () -> Void

        /// Tells the caller that the work will not be done.
        func refuse(_ error: PostgresError) { run(.failure(error))() }
    }

    private var waiting: [(job: Job, deadline: Deadline)] = []
    private let mostWaiting: Int
    /// Whether the pool takes no more work.
    private(set) var isStopped = false

    init(mostWaiting: Int) { self.mostWaiting = mostWaiting }

    var isEmpty: Bool { waiting.isEmpty }

    /// When the work that has waited longest is given up. All wait equally long, so the first is
    /// it.
    var firstDeadline: Deadline? { waiting.first?.deadline }

    /// Takes `job`, or returns why not.
    mutating func add(_ job: Job, until deadline: Deadline) -> PostgresError? {
        if isStopped { return PostgresError(kind: .overloaded(reason: "the pool is shut down")) }
        guard waiting.count < mostWaiting else {
            return PostgresError(
                kind: .overloaded(reason: "\(mostWaiting) pieces of work wait already"))
        }
        waiting.append((job, deadline))
        return nil
    }

    /// The work that has waited longest, no longer waiting.
    mutating func take() -> Job? { waiting.isEmpty ? nil : waiting.removeFirst().job }

    /// The work with that number, no longer waiting; nil when it has started, ended or never came.
    mutating func remove(_ id: UInt64) -> Job? {
        guard let index = waiting.firstIndex(where: { $0.job.id == id }) else { return nil }
        return waiting.remove(at: index).job
    }

    /// The work that has waited too long, no longer waiting.
    mutating func expire(_ hasPassed: (Deadline) -> Bool) -> [Job] {
        let expired = waiting.prefix { hasPassed($0.deadline) }.map(\.job)
        waiting.removeFirst(expired.count)
        return expired
    }

    /// Takes no more work and returns what was waiting.
    mutating func stop() -> [Job] {
        isStopped = true
        defer { waiting = [] }
        return waiting.map(\.job)
    }
}
