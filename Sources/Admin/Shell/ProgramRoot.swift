public import ArgumentParser

/// The command that all others hang below: what completions and the manual are made of. The
/// program's own, so that both know `serve` as well as `admin`; in tests `admin` alone.
public struct ProgramRoot: Sendable {
    /// The root of the running program.
    @TaskLocal public static var current = ProgramRoot(AdminCommand.self)

    /// The completion script for a shell of that name; nil for a shell that is not known.
    let completionScript: @Sendable (_ shell: String) -> String?
    /// Every command and argument as the argument parser's own JSON.
    let dump: @Sendable () -> String

    /// Makes it of the root command.
    public init<Root: ParsableCommand & SendableMetatype>(_: Root.Type) {
        completionScript = { shell in
            CompletionShell(rawValue: shell).map { Root.completionScript(for: $0) }
        }
        dump = { Root._dumpHelp() }
    }
}
