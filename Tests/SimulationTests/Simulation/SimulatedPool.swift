import Postgres

@testable import Ledger

/// A pool of connections of one process to the simulated ledger.
// Unchecked: a simulation runs on one thread from its first job to its last.
final class SimulatedPool: LedgerPool, @unchecked Sendable {
    private let process: SimulatedProcess
    private let network: SimulatedNetwork
    private let connections: Int
    private var waiting: [Work] = []
    private var running: [Work] = []

    // Unchecked: as the pool.
    private final class Work: @unchecked Sendable {
        /// Runs the step; nil when it waits for an answer.
        let step: (SimulatedConnection) -> PostgresError?
        var answers: [Result<[PostgresResult], PostgresError>] = []
        var finish: () -> Void = {}
        var fail: (PostgresError) -> Void = { _ in }
        let random: SeededRandom
        var isOver = false

        init(
            random: SeededRandom, step: @escaping (SimulatedConnection) -> PostgresError?
        ) {
            self.random = random
            self.step = step
        }
    }

    // Unchecked: as the pool.
    private final class Outcome<Value>: @unchecked Sendable {
        var result: Result<Value, PostgresError>?
    }

    init(_ process: SimulatedProcess, _ network: SimulatedNetwork, connections: Int) {
        self.process = process
        self.network = network
        self.connections = connections
    }

    func run<Value: Sendable>(
        _ body: @escaping @Sendable (any LedgerConnection) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        let outcome = Outcome<Value>()
        let work = Work(random: process.random.fork()) { connection in
            do throws(PostgresError) {
                outcome.result = .success(try body(connection))
                return nil
            } catch {
                if connection.question == nil { outcome.result = .failure(error) }
                return error
            }
        }
        work.fail = { outcome.result = .failure($0) }
        await wait(for: work)
        guard let result = outcome.result else { preconditionFailure("work without an end") }
        return try result.get()
    }

    func shutdown() async {}

    private func wait(for work: Work) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                work.finish = { continuation.resume() }
                if process.isDead || Task.isCancelled {
                    end(work, PostgresError(kind: .cancelled))
                } else {
                    waiting.append(work)
                    startNext()
                }
            }
        } onCancel: {
            // What has started is not cancelled.
            guard let index = waiting.firstIndex(where: { $0 === work }) else { return }
            waiting.remove(at: index)
            end(work, PostgresError(kind: .cancelled))
        }
    }

    private func startNext() {
        while running.count < connections, !waiting.isEmpty {
            let work = waiting.removeFirst()
            running.append(work)
            advance(work)
        }
    }

    private func advance(_ work: Work) {
        let connection = SimulatedConnection(work.answers)
        process.stepRandom = work.random
        _ = work.step(connection)
        process.stepRandom = nil
        guard let question = connection.question else {
            end(work, nil)
            return
        }
        network.send(question, inPipeline: connection.isPipeline, from: process) {
            [self] answer in
            process.deliver { [self] in
                guard !work.isOver else { return }
                work.answers.append(answer)
                advance(work)
            }
        }
    }

    private func end(_ work: Work, _ error: PostgresError?) {
        work.isOver = true
        if let error { work.fail(error) }
        running.removeAll { $0 === work }
        work.finish()
        startNext()
    }

    /// The process is dead: nothing of it gets an answer any more.
    func kill() {
        let lost = running + waiting
        (running, waiting) = ([], [])
        for work in lost { end(work, PostgresError(kind: .cancelled)) }
    }
}
