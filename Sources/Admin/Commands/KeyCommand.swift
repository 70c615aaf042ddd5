import ArgumentParser
import Domain
import Ledger

/// `admin key`.
struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "API keys.",
        subcommands: [
            KeyCreateCommand.self, List.self, Show.self, SubjectRenameCommand<KeyNoun>.self,
            KeyUpdateCommand.self, KeyRotateCommand.self, SubjectSuspendCommand<KeyNoun>.self,
            SubjectResumeCommand<KeyNoun>.self, KeyRevokeCommand.self,
            SubjectDeleteCommand<KeyNoun>.self,
        ])

    /// `admin key list`.
    struct List: AdminSubcommand {
        static let configuration = CommandConfiguration(
            abstract: "List keys that are not over.",
            discussion: """
                Example:
                  turnpike admin key list --team research --all
                """)

        @Option(help: ArgumentHelp("Only this team's keys.", valueName: "name"))
        var team: String?
        @Flag(help: "Revoked and expired keys too.")
        var all = false
        @Flag(help: "Revoked keys alone, with when and why.")
        var revoked = false
        @Option(
            help: ArgumentHelp(
                "Only keys whose digest is under this pepper, by its number.", valueName: "number"))
        var pepper: Int16?
        @OptionGroup var tenant: OrganizationOption
        @OptionGroup var options: AdminOptions

        func validate() throws {
            if all, revoked {
                throw ValidationError("--all and --revoked are two lists; name one.")
            }
        }

        func execute(_ desk: AdminDesk) throws {
            let organization = try desk.organization(tenant.organization)
            let owner = try team.map { name throws(AdminFailure) in
                try desk.team(name, in: organization)
            }
            let keys =
                if let page = desk.page {
                    try desk.ledger.keys(in: organization, of: owner, selection, page)
                } else {
                    try desk.ledger.keys(in: organization, of: owner)
                        .filter { selection.has($0.state, pepper: $0.pepper) }
                }
            let records = keys.map { KeyView.record($0, organization) }
            try desk.answer(records, names: KeyView.names) {
                if keys.isEmpty { return [empty(owner, organization)] }
                return revoked ? revokedTable(keys, desk) : table(keys, desk)
            }
        }

        private var selection: KeySelection {
            KeySelection(life: revoked ? .revoked : all ? .any : .lasting, pepper: pepper)
        }

        private func table(_ keys: [KeyEntry], _ desk: AdminDesk) -> [String] {
            desk.tables.lines(
                columns: [
                    .whole("Key"), .text("Name", minimum: 8), .text("Team", minimum: 8),
                    .whole("State"), .whole("Expires"), .whole("Last used"),
                ],
                rows: keys.map { key in
                    [
                        .text(key.id.description), .text(key.name), .text(key.team),
                        .text(key.state.rawValue),
                        .text(key.expiresAt.map { TimeText.short($0) } ?? "never"),
                        .text(key.lastUsedAt.map { TimeText.short($0) } ?? "never"),
                    ]
                }, totals: nil)
        }

        private func revokedTable(_ keys: [KeyEntry], _ desk: AdminDesk) -> [String] {
            desk.tables.lines(
                columns: [
                    .whole("Key"), .text("Name", minimum: 8), .text("Team", minimum: 8),
                    .whole("Revoked"), .text("Reason", minimum: 8),
                ],
                rows: keys.map { key in
                    [
                        .text(key.id.description), .text(key.name), .text(key.team),
                        .text(key.revokedAt.map { TimeText.short($0) } ?? ""),
                        .text(key.revokeReason ?? ""),
                    ]
                }, totals: nil)
        }

        private func empty(_ team: TeamEntry?, _ organization: OrganizationEntry) -> String {
            let owner =
                team.map { "team \(QuotedText.quoted($0.name))" }
                ?? "organization \(QuotedText.quoted(organization.name))"
            if revoked { return "No revoked keys in \(owner)." }
            return all
                ? "No keys in \(owner)."
                : "No usable keys in \(owner); --all shows revoked and expired ones."
        }
    }

    /// `admin key show KEYID`.
    struct Show: AdminSubcommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one key; its secret is stored nowhere and cannot be shown.",
            discussion: """
                Example:
                  turnpike admin key show 3kTMd92Zx0q
                """)

        @Argument(help: "The key id.", transform: KeyArgument.init)
        var keyID: KeyArgument
        @OptionGroup var tenant: OrganizationOption
        @OptionGroup var options: AdminOptions

        func validate() throws { _ = try keyID.check() }

        func execute(_ desk: AdminDesk) throws {
            let id = try keyID.check()
            let organization = try desk.organization(tenant.organization)
            let key = try desk.key(id, in: organization)
            try desk.answer(KeyView.record(key, organization)) {
                DetailFormatter(width: desk.output.width, style: desk.output.style)
                    .lines(KeyView.details(key, organization))
            }
        }
    }
}
