import ArgumentParser

/// What is true of all commands: a section of the manual, and a topic of its own.
enum ManualTopic: String, CaseIterable, ExpressibleByArgument {
    case configuration, environment
    case exitStatus = "exit-status"
    case output

    /// The heading in the manual.
    var title: String { rawValue.uppercased().replacing("-", with: " ") }

    /// A paragraph, or a name with what it means.
    struct Entry {
        var name: String?
        let text: String
    }

    /// What the topic says.
    var entries: [Entry] {
        switch self {
        case .configuration: Self.configurationEntries
        case .environment: Self.environmentEntries
        case .exitStatus: Self.exitStatusEntries
        case .output: Self.outputEntries
        }
    }

    private static let configurationEntries = [
        Entry(
            text: """
                Admin commands read the file that --config names, else the one that TURNPIKE_CONFIG names, else \
                ./turnpike.yaml, else the one that `turnpike up` wrote into its state folder. A file that was named \
                and is not there is an error. deploy/turnpike.example.yaml has every key with its default.
                """),
        Entry(
            text: """
                ${NAME} in the file takes a value from the environment. An unknown key is an error that names the \
                file, the line and what is accepted.
                """),
    ]

    private static let environmentEntries = [
        Entry(
            name: "TURNPIKE_CONFIG",
            text: "The configuration file, where --config does not name one."),
        Entry(
            name: "NO_COLOR", text: "Set and not empty: no colour, whatever the terminal can show."),
        Entry(name: "TERM", text: "dumb: no colour."),
        Entry(
            name: "COLUMNS", text: "The width of tables, where the terminal does not tell."),
        Entry(name: "XDG_STATE_HOME, HOME", text: "Where `turnpike up` keeps its state."),
    ]

    private static let exitStatusEntries = [
        Entry(name: "0", text: "Done."),
        Entry(name: "1", text: "Refused, or what was named does not exist."),
        Entry(name: "2", text: "Wrong usage: the command line or the configuration."),
        Entry(name: "3", text: "The ledger's database cannot be reached."),
        Entry(name: "4", text: "An audit or a comparison found differences."),
    ]

    private static let outputEntries = [
        Entry(
            text: """
                Answers go to standard output and everything else to standard error. --format json gives one object \
                or array and --format csv a line of names and a line for each row; their names stay the same between \
                versions, a table's layout does not. Colour is used on a terminal only, and not with --no-color.
                """),
        Entry(text: "Times are in UTC. Costs are in dollars, in JSON in nano-dollars too."),
    ]

    /// The topic as text.
    func lines(width: Int) -> [String] {
        entries.flatMap { entry -> [String] in
            guard let name = entry.name else {
                return TextWrap.lines(entry.text, width: width) + [""]
            }
            return [name] + TextWrap.lines(entry.text, width: width - 4).map { "    " + $0 }
        }
    }
}
