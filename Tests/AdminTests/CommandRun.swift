import ArgumentParser
import Synchronization

@testable import Admin

/// One run of `turnpike admin …`, parsed and executed as the program does it, with everything it
/// said.
struct CommandRun {
    let status: Int32
    let output: String
    let complaint: String

    /// Runs the arguments, written as one line without quotes, or given one by one.
    static func of(
        _ line: String, with ledger: any AdminLedger & Sendable, width: Int = 80,
        answer: String? = nil
    ) -> CommandRun {
        of(
            arguments: line.split(separator: " ").map(String.init), with: ledger, width: width,
            answer: answer)
    }

    static func of(
        arguments: [String], with ledger: any AdminLedger & Sendable, width: Int = 80,
        answer: String? = nil
    ) -> CommandRun {
        of(arguments: arguments, width: width, answer: answer) { _ throws(AdminFailure) in ledger }
    }

    static func of(
        arguments: [String], width: Int, answer: String?,
        opening open: @escaping @Sendable (String?) throws(AdminFailure) -> any AdminLedger
    ) -> CommandRun {
        let said = Said()
        let environment = AdminEnvironment(
            output: { _ in
                Output(
                    width: width, style: .plain,
                    write: { text in said.output.withLock { $0 += text } },
                    complain: { text in said.complaint.withLock { $0 += text } },
                    ask: { question in
                        said.complaint.withLock { $0 += question }
                        return answer
                    })
            }, openLedger: open)
        let status = AdminEnvironment.$current.withValue(environment) { () -> Int32 in
            do {
                var command = try AdminCommand.parseAsRoot(arguments)
                try command.run()
                return 0
            } catch {
                let text = AdminCommand.fullMessage(for: error, columns: 80)
                let status = CommandExit.status(of: error, in: AdminCommand.self)
                if status == 0 {
                    said.output.withLock { $0 += text }
                } else {
                    said.complaint.withLock { $0 += text }
                }
                return status
            }
        }
        return CommandRun(
            status: status, output: said.output.withLock { $0 },
            complaint: said.complaint.withLock { $0 })
    }

    /// The lines of the output.
    var lines: [String] {
        output.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    private final class Said: Sendable {
        let output = Mutex("")
        let complaint = Mutex("")
    }
}
