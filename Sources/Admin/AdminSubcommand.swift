import ArgumentParser
import Domain

/// A command that talks to the ledger: says what went wrong and ends with the status for it.
protocol AdminSubcommand: ParsableCommand {
    /// What every admin command understands.
    var options: AdminOptions { get }

    /// Does what the command is for.
    func execute(_ desk: AdminDesk) throws
}

extension AdminSubcommand {
    func run() throws {
        let environment = AdminEnvironment.current
        let output = environment.output(!options.noColor)
        do {
            let ledger = try environment.openLedger(options.config)
            try execute(AdminDesk(output: output, format: options.format, ledger: ledger))
        } catch is Output.ReaderIsGone {
            // Whoever read the report has seen enough of it.
            return
        } catch let failure as AdminFailure {
            try complain(failure, to: output)
        } catch {
            let failure = AdminFailure.refused(
                "The answer could not be written.", advice: "Is the disk full?")
            try complain(failure, to: output)
        }
    }

    private func complain(_ failure: AdminFailure, to output: Output) throws {
        let text = ["Error: " + failure.message, failure.advice].compactMap(\.self)
        // Where nobody can be told, the exit status still says it.
        try? output.complain(text.map { $0 + "\n" }.joined())
        throw ExitCode(failure.status.rawValue)
    }
}
