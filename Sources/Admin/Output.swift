import Domain
import Foundation
import Glibc

/// What the program says: the only place of this room that writes to the terminal, a pipe or a
/// secret's file.
struct Output {
    /// The reader of a pipe is gone. Not a failure of a report: whoever reads has seen enough.
    struct ReaderIsGone: Error {}

    /// The columns a line may take.
    let width: Int
    /// Whether and how words are emphasised.
    let style: TextStyle
    /// Writes to standard output. Throws `ReaderIsGone`, or what the system says, such as a full
    /// disk.
    let write: (String) throws -> Void
    /// Writes to standard error.
    let complain: (String) throws -> Void
    /// Asks a question on the terminal and returns the line typed; nil without a terminal or at its
    /// end.
    let ask: (String) -> String?
    /// Shows how far the command has come, in place of what it showed before; an empty text takes
    /// it away. Nil where nobody sees it: standard error is no terminal, or the answer goes there.
    var progress: ((String) -> Void)?
    /// Whether what is written may replace what was written before, as a terminal can.
    var isTerminal = false

    /// The program's own channels. Emphasis needs a terminal and nobody who forbids it.
    static func live(isColourAllowed: Bool) -> Output {
        // Without this, writing to a closed pipe would end the program before it could say what it
        // had done.
        signal(SIGPIPE, SIG_IGN)
        let environment = ProcessInfo.processInfo.environment
        let isTerminal = isatty(STDOUT_FILENO) == 1
        let isColoured = TextStyle.isWanted(
            isColourAllowed, isTerminal: isTerminal, environment: environment)
        return Output(
            width: TerminalWidth.columns(
                isTerminal: isTerminal, environment: environment["COLUMNS"],
                window: isTerminal ? TerminalWidth.windowColumns() : nil),
            style: TextStyle(isColoured: isColoured),
            write: { try send($0, to: .standardOutput) },
            complain: { try send($0, to: .standardError) },
            ask: { question in
                guard isatty(STDIN_FILENO) == 1 else { return nil }
                // An unseen question is answered by nobody, so the answer is no.
                guard (try? send(question, to: .standardError)) != nil else { return nil }
                return readLine()
            },
            progress: isTerminal || isatty(STDERR_FILENO) != 1
                ? nil
                : { text in
                    // What cannot be shown is not missed.
                    try? send(CursorText.sameLine(text), to: .standardError)
                }, isTerminal: isTerminal)
    }

    /// Writes a line.
    func line(_ text: String) throws { try write(text + "\n") }

    /// Writes lines.
    func lines(_ lines: [String]) throws { try write(lines.map { $0 + "\n" }.joined()) }

    /// Ends the program.
    static func end(_ status: Int32) -> Never { exit(status) }

    private static func send(_ text: String, to file: FileHandle) throws {
        do {
            try file.write(contentsOf: Data(text.utf8))
        } catch {
            throw isBrokenPipe(error as NSError) ? ReaderIsGone() : error
        }
    }

    private static func isBrokenPipe(_ error: NSError) -> Bool {
        if error.domain == NSPOSIXErrorDomain { return error.code == Int(EPIPE) }
        return (error.userInfo[NSUnderlyingErrorKey] as? NSError).map(isBrokenPipe) ?? false
    }
}
