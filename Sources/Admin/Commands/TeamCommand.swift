import ArgumentParser
import Domain

/// `admin team`.
struct TeamCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "team", abstract: "Teams, the groups of keys.",
        subcommands: [
            Create.self, List.self, SubjectShowCommand<TeamNoun>.self,
            SubjectRenameCommand<TeamNoun>.self, SubjectSuspendCommand<TeamNoun>.self,
            SubjectResumeCommand<TeamNoun>.self, SubjectDeleteCommand<TeamNoun>.self,
        ])

    /// `admin team create NAME`.
    struct Create: AdminSubcommand {
        static let configuration = CommandConfiguration(
            abstract: "Create a team.",
            discussion: """
                Example:
                  turnpike admin team create research --organization default
                """)

        @Argument(help: "Its name, 1 to 64 bytes.")
        var name: String
        @OptionGroup var tenant: OrganizationOption
        @OptionGroup var options: AdminOptions

        func validate() throws { try NameText.check(name) }

        func execute(_ desk: AdminDesk) throws {
            let organization = try desk.organization(tenant.organization)
            let team = try desk.ledger.createTeam(name, in: organization)
            try desk.answer(TeamCommand.record(team, organization)) {
                [
                    "Team \(DisplayWidth.printable(team.name)) is there.",
                    "Next: turnpike admin key create --team \(ShellWord.of(team.name)) --name KEY"
                        + desk.flag(organization),
                ]
            }
        }
    }

    /// `admin team list`.
    struct List: AdminSubcommand {
        static let configuration = CommandConfiguration(
            abstract: "List an organization's teams.",
            discussion: """
                Example:
                  turnpike admin team list --organization acme
                """)

        @OptionGroup var tenant: OrganizationOption
        @OptionGroup var options: AdminOptions

        func execute(_ desk: AdminDesk) throws {
            let organization = try desk.organization(tenant.organization)
            let all =
                if let page = desk.page {
                    try desk.ledger.teams(in: organization, page)
                } else {
                    try desk.ledger.teams(in: organization)
                }
            let records = all.map { TeamCommand.record($0, organization) }
            try desk.answer(records, names: TeamCommand.names) {
                if all.isEmpty {
                    return ["No teams in organization \(QuotedText.quoted(organization.name))."]
                }
                return desk.tables.lines(
                    columns: [
                        .text("Team", minimum: 12), .whole("State"), .whole("Created"),
                    ],
                    rows: all.map { team in
                        [
                            .text(team.name), .text(SubjectView.word(team.suspendedAt)),
                            .text(TimeText.short(team.createdAt)),
                        ]
                    },
                    totals: nil)
            }
        }
    }

    static let names = [
        "team", "team_id", "organization", "created_at", "state", "suspended_at", "suspend_reason",
    ]

    static func record(_ team: TeamEntry, _ organization: OrganizationEntry) -> Record {
        Record(
            names,
            [
                .text(team.name), .text(String(team.id.rawValue)), .text(organization.name),
                .text(TimeText.iso(team.createdAt)), .text(SubjectView.word(team.suspendedAt)),
                .optional(team.suspendedAt.map(TimeText.iso)), .optional(team.suspendReason),
            ])
    }
}
