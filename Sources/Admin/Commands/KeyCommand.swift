import ArgumentParser
import Domain
import Ledger

/// `admin key`.
struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "API keys.",
        subcommands: [KeyCreateCommand.self, List.self, Show.self, Revoke.self])

    /// `admin key list`.
    struct List: AdminSubcommand {
        static let configuration = CommandConfiguration(
            abstract: "List keys that may be used.",
            discussion: """
                Example:
                  turnpike admin key list --team research --all
                """)

        @Option(help: ArgumentHelp("Only this team's keys.", valueName: "name"))
        var team: String?
        @Flag(help: "Revoked and expired keys too.")
        var all = false
        @OptionGroup var tenant: OrganizationOption
        @OptionGroup var options: AdminOptions

        func execute(_ desk: AdminDesk) throws {
            let organization = try desk.organization(tenant.organization)
            let owner = try team.map { name throws(AdminFailure) in
                try desk.team(name, in: organization)
            }
            let keys = try desk.ledger.keys(in: organization, of: owner).filter { key in
                all || [.active, .pending].contains(key.state)
            }
            let records = keys.map { KeyView.record($0, organization) }
            try desk.answer(records, names: KeyView.names) {
                keys.isEmpty ? [empty(owner, organization)] : table(keys, desk)
            }
        }

        private func table(_ keys: [KeyEntry], _ desk: AdminDesk) -> [String] {
            desk.tables.lines(
                columns: [
                    .whole("Key"), .text("Name", minimum: 8), .text("Team", minimum: 8),
                    .whole("State"), .whole("Expires"),
                ],
                rows: keys.map { key in
                    [
                        .text(key.id.description), .text(key.name), .text(key.team),
                        .text(key.state.rawValue),
                        .text(key.expiresAt.map { TimeText.short($0) } ?? "never"),
                    ]
                }, totals: nil)
        }

        private func empty(_ team: TeamEntry?, _ organization: OrganizationEntry) -> String {
            let owner =
                team.map { "team \(QuotedText.quoted($0.name))" }
                ?? "organization \(QuotedText.quoted(organization.name))"
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

    /// `admin key revoke KEYID`.
    struct Revoke: AdminSubcommand {
        static let configuration = CommandConfiguration(
            abstract: "End a key for good.",
            discussion: """
                Running gateways refuse it within two seconds. This cannot be undone.

                Example:
                  turnpike admin key revoke 3kTMd92Zx0q --yes
                """)

        @Argument(help: "The key id.", transform: KeyArgument.init)
        var keyID: KeyArgument
        @Flag(help: "Do not ask.")
        var yes = false
        @OptionGroup var tenant: OrganizationOption
        @OptionGroup var options: AdminOptions

        func validate() throws { _ = try keyID.check() }

        func execute(_ desk: AdminDesk) throws {
            let id = try keyID.check()
            let organization = try desk.organization(tenant.organization)
            let key = try desk.key(id, in: organization)
            if key.revokedAt == nil {
                try desk.confirm(
                    "Revoke key \(key.id) (\(key.name), team \(key.team)) for good?",
                    isConfirmed: yes)
                try desk.ledger.revokeKey(id, in: organization)
            }
            let revoked = try desk.key(id, in: organization)
            try desk.answer(KeyView.record(revoked, organization)) {
                [
                    key.revokedAt == nil
                        ? "Key \(key.id) is revoked." : "Key \(key.id) was revoked already."
                ]
            }
        }
    }
}
