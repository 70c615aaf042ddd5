import ArgumentParser

/// `admin completions`.
struct CompletionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completions", abstract: "Print the completions of a shell.",
        discussion: """
            The script knows every command and option of this version; names of organizations come from the ledger \
            that the command line or TURNPIKE_CONFIG names, and are left out when it cannot be reached.

            Example:
              turnpike admin completions bash > /etc/bash_completion.d/turnpike
              turnpike admin completions zsh > "${fpath[1]}/_turnpike"
              turnpike admin completions fish > ~/.config/fish/completions/turnpike.fish
            """)

    /// The shells, as they call themselves.
    enum Shell: String, CaseIterable, ExpressibleByArgument {
        case bash, zsh, fish
    }

    @Argument(help: "The shell: bash, zsh or fish.")
    var shell: Shell

    func run() throws {
        guard let script = ProgramRoot.current.completionScript(shell.rawValue) else {
            throw ValidationError("give bash, zsh or fish")
        }
        do {
            try AdminEnvironment.current.output(false).write(script + "\n")
        } catch is Output.ReaderIsGone {
            // Whoever read the script has seen enough of it.
        }
    }
}
