import Postgres

/// Between the processes and the ledger: delays, lost requests, lost answers, backends that go on
/// after their client has given up, partitions.
// Unchecked: a simulation runs on one thread from its first job to its last.
final class SimulatedNetwork: @unchecked Sendable {
    let kernel: SimulationKernel
    let server: SimulatedServer
    /// Of 100 exchanges, how many lose their connection somewhere.
    var lossPercent = 0
    /// Nodes that cannot reach the ledger, by their process.
    var cutOff: Set<ObjectIdentifier> = []
    /// The slowest usual way, in microseconds.
    var latency: Int64 = 3000

    /// Writes down what happens.
    var tell: (() -> String) -> Void = { _ in }

    typealias Answer = Result<[PostgresResult], PostgresError>

    init(_ kernel: SimulationKernel, _ server: SimulatedServer) {
        self.kernel = kernel
        self.server = server
    }

    /// Sends commands as one transaction; `receive` is called once with the answer, or with the
    /// fault that libpq would report.
    func send(
        _ commands: [PostgresCommand], inPipeline: Bool, from process: SimulatedProcess,
        receive: @escaping (Answer) -> Void
    ) {
        let mayCommit = commands.contains { !$0.statement.isReadOnly }
        let receive = telling(commands, process, receive)
        if cutOff.contains(ObjectIdentifier(process)) {
            // Packets vanish: the call's own limit ends it.
            kernel.after(Int64(kernel.random.below(3_000_000)) + 500_000) {
                receive(.failure(Self.broken(mayCommit)))
            }
            return
        }
        guard kernel.random.below(100) < lossPercent else {
            exchange(commands, inPipeline, receive)
            return
        }
        switch kernel.random.below(3) {
        case 0:
            // The request is lost.
            kernel.after(delay()) { receive(.failure(Self.broken(mayCommit))) }
        case 1:
            // The answer is lost.
            exchange(commands, inPipeline) { _ in receive(.failure(Self.broken(mayCommit))) }
        default:
            // The client gives up, and the backend carries the request out all the same: later.
            kernel.after(delay()) { receive(.failure(Self.broken(mayCommit))) }
            kernel.after(delay() + Int64(kernel.random.below(2_500_000))) { [server] in
                _ = server.run(commands)
            }
        }
    }

    private func telling(
        _ commands: [PostgresCommand], _ process: SimulatedProcess,
        _ receive: @escaping (Answer) -> Void
    ) -> (Answer) -> Void {
        let names = commands.map { $0.statement.name ?? String($0.statement.sql.prefix(8)) }
        return { [self] answer in
            tell {
                let result =
                    switch answer {
                    case .success(let results): "\(results.map(\.rows.count))"
                    case .failure(let error): error.description
                    }
                return "\(process.name) \(names) -> \(result)"
            }
            receive(answer)
        }
    }

    private func exchange(
        _ commands: [PostgresCommand], _ inPipeline: Bool, _ receive: @escaping (Answer) -> Void
    ) {
        kernel.after(delay()) { [self] in
            guard server.isUp else {
                receive(
                    .failure(PostgresError(kind: .connection(reason: "refused", fault: nil))))
                return
            }
            let (answer, number) = server.run(commands)
            let life = server.life
            kernel.after(delay()) { [self] in
                // A server that died meanwhile did not send it.
                guard server.life == life else {
                    let mayCommit = commands.contains { !$0.statement.isReadOnly }
                    receive(.failure(Self.broken(mayCommit)))
                    return
                }
                server.acknowledged(number, commands)
                receive(
                    answer.mapError { error in
                        var error = error
                        if !inPipeline { error.commandIndex = nil }
                        return error
                    })
            }
        }
    }

    private func delay() -> Int64 { Int64(kernel.random.below(Int(latency))) + 200 }

    private static func broken(_ mayCommit: Bool) -> PostgresError {
        PostgresError(
            kind: mayCommit
                ? .ambiguous(reason: "lost", fault: nil) : .connection(reason: "lost", fault: nil))
    }
}
