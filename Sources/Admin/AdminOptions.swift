import ArgumentParser

/// What every admin command understands.
struct AdminOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The configuration file (default: TURNPIKE_CONFIG, ./turnpike.yaml, or what `turnpike up` wrote).",
            valueName: "file"), completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Option(help: "How to print: table, json or csv.")
    var format: OutputFormat = .table

    @Flag(help: "Print without colour.")
    var noColor = false
}

/// How an answer is printed.
enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
    /// For people.
    case table
    /// One object or one array.
    case json
    /// A line of names, then a line for each row.
    case csv
}

/// The tenant that a command is about.
struct OrganizationOption: ParsableArguments {
    @Option(help: ArgumentHelp("The organization.", valueName: "name"), completion: .organizations)
    var organization = "default"
}
