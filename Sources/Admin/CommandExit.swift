public import ArgumentParser

/// How the program ends after a command failed. ArgumentParser says 64 for a command line it cannot
/// read; Turnpike's commands say 2 for every wrong usage.
public enum CommandExit {
    /// Wrong usage: the command line or the configuration is wrong.
    public static let wrongUsage: Int32 = 2

    /// The exit status for an error that parsing or running a command under `root` threw.
    public static func status(of error: any Error, in root: any ParsableCommand.Type) -> Int32 {
        let code = root.exitCode(for: error)
        return code == .validationFailure ? wrongUsage : code.rawValue
    }

    /// Says what went wrong, or shows the help that was asked for, and ends the program.
    public static func end(with error: any Error, in root: any ParsableCommand.Type) -> Never {
        let status = status(of: error, in: root)
        let text = root.fullMessage(for: error, columns: nil)
        let output = Output.live(isColourAllowed: false)
        if !text.isEmpty {
            // Nobody is left to tell when this cannot be written; the status still says it.
            try? status == 0 ? output.write(text + "\n") : output.complain(text + "\n")
        }
        Output.end(status)
    }
}
