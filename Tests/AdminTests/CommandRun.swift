import ArgumentParser
import Synchronization

@testable import Admin

/// One run of `turnpike admin …`, parsed and executed as the program does it, with everything it
/// said.
struct CommandRun {
    let status: Int32
    let output: String
    let complaint: String
    /// What was shown of the progress, one after the other.
    let progress: [String]
    /// How long the command waited, each time.
    let pauses: [Duration]

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
        answer: String? = nil, frames: Int = 1, isTerminal: Bool = false
    ) -> CommandRun {
        of(
            arguments: arguments, width: width, answer: answer, frames: frames,
            isTerminal: isTerminal
        ) { _ throws(AdminFailure) in ledger }
    }

    static func of(
        arguments: [String], width: Int, answer: String?, frames: Int = 1,
        isTerminal: Bool = false,
        opening open: @escaping @Sendable (String?) throws(AdminFailure) -> any AdminLedger
    ) -> CommandRun {
        let said = Said()
        let environment = environment(
            said, width: width, answer: answer, frames: frames, isTerminal: isTerminal,
            opening: open)
        return AdminEnvironment.$current.withValue(environment) {
            do {
                var command = try AdminCommand.parseAsRoot(arguments)
                try command.run()
                return said.run(status: 0)
            } catch {
                return said.run(endedBy: error)
            }
        }
    }

    /// Runs the arguments of a command that waits for something other than the ledger.
    static func waiting(
        _ line: String, opening open: @escaping @Sendable () throws(AdminFailure) -> any AdminLedger
    ) async -> CommandRun {
        let said = Said()
        let environment = environment(
            said, width: 80, answer: nil, frames: 1, isTerminal: false
        ) { _ throws(AdminFailure) in try open() }
        return await AdminEnvironment.$current.withValue(environment) {
            do {
                var command = try AdminCommand.parseAsRoot(
                    line.split(separator: " ").map(String.init))
                if var waiting = command as? any AsyncParsableCommand {
                    try await waiting.run()
                } else {
                    try command.run()
                }
                return said.run(status: 0)
            } catch {
                return said.run(endedBy: error)
            }
        }
    }

    private static func environment(
        _ said: Said, width: Int, answer: String?, frames: Int, isTerminal: Bool,
        opening open: @escaping @Sendable (String?) throws(AdminFailure) -> any AdminLedger
    ) -> AdminEnvironment {
        AdminEnvironment(
            output: { _ in
                Output(
                    width: width, style: .plain,
                    write: { text in said.output.withLock { $0 += text } },
                    complain: { text in said.complaint.withLock { $0 += text } },
                    ask: { question in
                        said.complaint.withLock { $0 += question }
                        return answer
                    },
                    progress: { text in said.progress.withLock { $0.append(text) } },
                    isTerminal: isTerminal)
            }, openLedger: open,
            clock: AdminClock(
                // Each look at the clock is a tenth of a second later than the one before.
                elapsed: {
                    said.looks.withLock { looks in
                        looks += 1
                        return .milliseconds(100 * looks)
                    }
                },
                pause: { pause in
                    said.pauses.withLock { pauses in
                        pauses.append(pause)
                        return pauses.count < frames
                    }
                }))
    }

    /// The lines of the output.
    var lines: [String] {
        output.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    private final class Said: Sendable {
        let output = Mutex("")
        let complaint = Mutex("")
        let progress = Mutex<[String]>([])
        let pauses = Mutex<[Duration]>([])
        let looks = Mutex(0)

        func run(status: Int32) -> CommandRun {
            CommandRun(
                status: status, output: output.withLock { $0 },
                complaint: complaint.withLock { $0 }, progress: progress.withLock { $0 },
                pauses: pauses.withLock { $0 })
        }

        func run(endedBy error: any Error) -> CommandRun {
            let text = AdminCommand.fullMessage(for: error, columns: 80)
            let status = CommandExit.status(of: error, in: AdminCommand.self)
            if status == 0 {
                output.withLock { $0 += text }
            } else {
                complaint.withLock { $0 += text }
            }
            return run(status: status)
        }
    }
}
