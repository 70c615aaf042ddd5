/// One pipeline on its way: what was sent, in order, and what came back.
///
/// Sends everything, then reads one answer per step. The first failure is kept; the server skips
/// what follows it. Throws only for a connection that is gone or a deadline; `failure` has the
/// server's refusal.
struct PipelineExchange {
    private enum Step {
        case prepare(String, command: Int)
        case run(command: Int)
    }

    private let session: PostgresSession
    private let commands: [PostgresCommand]
    private let parameters: [EncodedParameters]
    private let deadline: Deadline
    private var steps: [Step] = []

    /// The answers to the commands completed so far.
    private(set) var results: [PostgresResult] = []
    /// The first refusal and the command it answers; the command is nil for a refusal of the final
    /// commit.
    private(set) var failure: (fault: PostgresServerFault, command: Int?)?

    init(
        _ session: PostgresSession, _ commands: [PostgresCommand],
        _ parameters: [EncodedParameters], until deadline: Deadline
    ) {
        self.session = session
        self.commands = commands
        self.parameters = parameters
        self.deadline = deadline
        results.reserveCapacity(commands.count)
    }

    /// Sends all commands and the end of the pipeline.
    mutating func send(_ prepared: inout PreparedStatements) throws(PostgresError) {
        for (index, command) in commands.enumerated() {
            let parameters = parameters[index]
            switch prepared.plan(command.statement, types: parameters.types) {
            case .unnamed:
                try session.sendUnnamed(sql: command.statement.sql, parameters)
            case .prepare(let name):
                try session.sendPrepare(
                    name: name, sql: command.statement.sql, types: parameters.types)
                steps.append(.prepare(name, command: index))
                try session.sendPrepared(name: name, parameters)
            case .use(let name):
                try session.sendPrepared(name: name, parameters)
            }
            steps.append(.run(command: index))
        }
        try session.sendSync()
        try session.flush(until: deadline)
    }

    /// Reads every answer up to the end of the pipeline.
    mutating func receive(_ prepared: inout PreparedStatements) throws(PostgresError) {
        for step in steps {
            switch step {
            case .prepare(let name, let command):
                if try answer(to: command) != nil { prepared.confirm(name) }
            case .run(let command):
                guard let storage = try answer(to: command) else { continue }
                results.append(PostgresResult(storage, notices: session.takeNotices()))
            }
        }
        try receiveEnd()
    }

    /// The answer to one step, or nil when it failed or was skipped.
    private mutating func answer(to command: Int) throws(PostgresError) -> ResultStorage? {
        var storage: ResultStorage?
        var isAnswered = false
        while let reply = try session.next(until: deadline) {
            isAnswered = true
            switch reply {
            case .complete(let result): storage = result
            case .failed(let fault): note(fault, command)
            case .skipped: break
            case .broken(let reason): throw broken(reason)
            case .synchronised: throw broken("the pipeline ended early")
            }
        }
        guard isAnswered else { throw session.lost("a command was not answered") }
        return storage
    }

    /// Reads the end of the pipeline, where what ran outside a transaction is committed.
    private mutating func receiveEnd() throws(PostgresError) {
        // libpq may end the last command's answers once more before the end itself.
        for _ in 0..<4 {
            switch try session.next(until: deadline) {
            case .synchronised:
                if let last = results.indices.last {
                    results[last].notices += session.takeNotices()
                }
                return
            case .failed(let fault): note(fault, nil)
            case .broken(let reason): throw broken(reason)
            case .complete, .skipped, nil: continue
            }
        }
        throw session.lost("the pipeline did not end")
    }

    private mutating func note(_ fault: PostgresServerFault, _ command: Int?) {
        if failure == nil { failure = (fault, command) }
    }

    private func broken(_ reason: String) -> PostgresError {
        PostgresError(kind: .connection(reason: session.redacting(reason), fault: nil))
    }
}
