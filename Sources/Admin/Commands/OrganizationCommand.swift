import ArgumentParser
import Domain

/// `admin org`.
struct OrganizationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "org", abstract: "Organizations, the tenants.",
        subcommands: [
            Create.self, List.self, SubjectShowCommand<OrganizationNoun>.self,
            SubjectRenameCommand<OrganizationNoun>.self,
            SubjectSuspendCommand<OrganizationNoun>.self,
            SubjectResumeCommand<OrganizationNoun>.self,
            SubjectDeleteCommand<OrganizationNoun>.self,
        ])

    /// `admin org create NAME`.
    struct Create: AdminSubcommand {
        static let configuration = CommandConfiguration(
            abstract: "Create an organization.",
            discussion: """
                Example:
                  turnpike admin org create acme
                """)

        @Argument(help: "Its name, 1 to 64 bytes.")
        var name: String
        @OptionGroup var options: AdminOptions

        func validate() throws { try NameText.check(name) }

        func execute(_ desk: AdminDesk) throws {
            let created = try desk.ledger.createOrganization(name)
            try desk.answer(OrganizationCommand.record(created)) {
                [
                    "Organization \(DisplayWidth.printable(created.name)) is there.",
                    "Next: turnpike admin team create NAME\(desk.flag(created))",
                ]
            }
        }
    }

    /// `admin org list`.
    struct List: AdminSubcommand {
        static let configuration = CommandConfiguration(
            abstract: "List the organizations.",
            discussion: """
                Example:
                  turnpike admin org list --format json
                """)

        @OptionGroup var options: AdminOptions

        func execute(_ desk: AdminDesk) throws {
            let all =
                if let page = desk.page {
                    try desk.ledger.organizations(page)
                } else {
                    try desk.ledger.organizations()
                }
            try desk.answer(all.map(OrganizationCommand.record), names: OrganizationCommand.names) {
                if all.isEmpty { return ["No organizations."] }
                return desk.tables.lines(
                    columns: [
                        .text("Organization", minimum: 12), .whole("State"), .whole("Created"),
                    ],
                    rows: all.map { one in
                        [
                            .text(one.name), .text(SubjectView.word(one.suspendedAt)),
                            .text(TimeText.short(one.createdAt)),
                        ]
                    },
                    totals: nil)
            }
        }
    }

    static let names = [
        "organization", "organization_id", "created_at", "state", "suspended_at",
        "suspend_reason",
    ]

    // Ids are strings: they have 63 random bits, and many readers of JSON keep only 53 of a number.
    static func record(_ entry: OrganizationEntry) -> Record {
        Record(
            names,
            [
                .text(entry.name), .text(String(entry.id.rawValue)),
                .text(TimeText.iso(entry.createdAt)), .text(SubjectView.word(entry.suspendedAt)),
                .optional(entry.suspendedAt.map(TimeText.iso)), .optional(entry.suspendReason),
            ])
    }
}
