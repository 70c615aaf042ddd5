import ArgumentParser

/// `admin manual`.
struct ManualCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manual", abstract: "Print the manual page, or a topic of it.",
        discussion: """
            The page is made of the same definitions as --help, so that it tells what this version does. Topics: \
            configuration, environment, exit-status, output.

            Example:
              turnpike admin manual | man -l -
              turnpike admin manual > /usr/local/share/man/man1/turnpike.1
              turnpike admin manual environment
            """)

    @Argument(help: "A topic; without one, the whole page in roff.")
    var topic: ManualTopic?

    func run() throws {
        let output = AdminEnvironment.current.output(false)
        do {
            if let topic { return try output.lines(topic.lines(width: output.width)) }
            try output.write(try page().text)
        } catch is Output.ReaderIsGone {
            // Whoever read the page has seen enough of it.
        }
    }

    private func page() throws -> ManualPage {
        guard let page = ManualPage(dump: ProgramRoot.current.dump()) else {
            throw ValidationError("the argument parser describes the commands in an unknown way")
        }
        return page
    }
}
