import Postgres

@testable import Ledger

/// A connection that answers from what it was told before, and stops at the first question that has
/// no answer yet.
///
/// The node's steps block on their connection, and a simulation cannot block. So a step is run
/// again from its beginning each time an answer has come, with all answers so far: it comes to the
/// same place, and one question further.
// Unchecked: a simulation runs on one thread from its first job to its last.
final class SimulatedConnection: LedgerConnection, @unchecked Sendable {
    private var answers: ArraySlice<Result<[PostgresResult], PostgresError>>
    /// The question that has no answer yet.
    private(set) var question: [PostgresCommand]?
    private(set) var isPipeline = false

    init(_ answers: [Result<[PostgresResult], PostgresError>]) { self.answers = answers[...] }

    func execute(_ command: PostgresCommand) throws(PostgresError) -> PostgresResult {
        try ask([command], inPipeline: false)[0]
    }

    func pipeline(_ commands: [PostgresCommand]) throws(PostgresError) -> [PostgresResult] {
        try ask(commands, inPipeline: true)
    }

    private func ask(
        _ commands: [PostgresCommand], inPipeline: Bool
    ) throws(PostgresError) -> [PostgresResult] {
        precondition(question == nil, "a step went on although it has no answer")
        if let answer = answers.popFirst() { return try answer.get() }
        question = commands
        isPipeline = inPipeline
        throw PostgresError(kind: .invalid(reason: "the step waits for its answer"))
    }
}
