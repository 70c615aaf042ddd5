public import ArgumentParser

/// `turnpike admin`: everything an administrator does from the command line.
public struct AdminCommand: AsyncParsableCommand {
    /// What the argument parser knows of the command.
    public static let configuration = CommandConfiguration(
        commandName: "admin",
        abstract: "Manage organizations, teams, keys, quotas and prices, and review usage.",
        discussion: """
            Every command takes --config FILE, --format table|json|csv and --no-color.

            Exit status: 0 done, 1 refused or not found, 2 wrong usage, 3 ledger unreachable, 4 an audit \
            or a comparison found differences.

            Example:
              turnpike admin team create research
              turnpike admin key create --team research --name ci --expires 90d
              turnpike admin quota set --team research --tokens 1000000/day
              turnpike admin usage --by team --since 7d
            """,
        subcommands: [
            OrganizationCommand.self, TeamCommand.self, KeyCommand.self, QuotaCommand.self,
            UsageCommand.self, StatementCommand.self, ExplainCommand.self, AuditCommand.self,
            ReconcileCommand.self, ActionCommand.self, RetentionCommand.self, NodeCommand.self,
            ModelCommand.self, EventCommand.self, AdminKeyCommand.self, DoctorCommand.self,
            CompletionsCommand.self,
            ManualCommand.self,
        ])

    /// Makes the command as the argument parser needs it.
    public init() {}
}
