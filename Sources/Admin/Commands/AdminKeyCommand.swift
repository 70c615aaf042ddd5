import ArgumentParser
import Domain

/// `admin admin-key`.
struct AdminKeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admin-key", abstract: "Keys of the admin HTTP API.",
        discussion: """
            An owner may do everything; an operator manages teams, keys, quotas and prices; an auditor reads. The API is at \
            /admin/v1/ on the admin listener, and described at /admin/openapi.json.
            """,
        subcommands: [Create.self, List.self, Revoke.self])

    /// `admin admin-key create`.
    struct Create: AdminSubcommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a key of the admin HTTP API and show it, this once.",
            discussion: """
                The key is printed once and stored nowhere: the ledger keeps only a digest. One that is bound to an \
                organization sees nothing of any other.

                Example:
                  turnpike admin admin-key create --name terraform --role operator --expires 90d \\
                    --secret-file admin.key
                  turnpike admin admin-key create --name acme-audit --role auditor --organization acme
                """)

        @Option(help: ArgumentHelp("What to call it, 1 to 64 bytes.", valueName: "name"))
        var name: String
        @Option(
            help: ArgumentHelp("owner, operator or auditor.", valueName: "role"),
            transform: { text in
                guard let role = AdminRole(rawValue: text) else {
                    throw ValidationError("give owner, operator or auditor")
                }
                return role
            })
        var role: AdminRole
        @Option(
            help: ArgumentHelp(
                "The one organization that it may see. Default: all.", valueName: "name"),
            completion: .organizations)
        var organization: String?
        @Option(
            help: ArgumentHelp(
                "When it stops being valid: a span such as 90d, or a date (UTC). Default: never.",
                valueName: "when"),
            transform: TimeArgument.read)
        var expires: TimeArgument?
        @Option(help: ArgumentHelp("A new file (mode 0600) for the key.", valueName: "file"))
        var secretFile: String?
        @OptionGroup var options: AdminOptions

        func validate() throws { try NameText.check(name) }

        func execute(_ desk: AdminDesk) throws {
            let owner = try organization.map { name throws(AdminFailure) in
                try desk.organization(name)
            }
            let now = try desk.ledger.time()
            let expiresAt = expires?.after(now)
            if let expiresAt, expiresAt <= now {
                throw AdminFailure.wrongUsage(
                    "--expires \(TimeText.short(expiresAt)) is past; the key could never be used.",
                    advice: "Nothing was created. Give a later date or a span such as 90d.")
            }
            let file = try secretFile.map { path throws(AdminFailure) in
                try SecretFile.reserve(path)
            }
            let minted: MintedAdminKeyEntry
            do throws(AdminFailure) {
                minted = try desk.ledger.mintAdminKey(
                    AdminKeyOrder(
                        name: name, role: role, organization: owner, expiresAt: expiresAt))
            } catch {
                file?.discard()
                throw error
            }
            try AdminKeyView.show(minted, file, desk)
        }
    }

    /// `admin admin-key list`.
    struct List: AdminSubcommand {
        static let configuration = CommandConfiguration(
            abstract: "List the keys of the admin HTTP API.",
            discussion: """
                Example:
                  turnpike admin admin-key list --all
                """)

        @Flag(help: "Revoked and expired keys too.")
        var all = false
        @Option(
            help: ArgumentHelp("Only keys bound to this organization.", valueName: "name"),
            completion: .organizations)
        var organization: String?
        @OptionGroup var options: AdminOptions

        func execute(_ desk: AdminDesk) throws {
            let owner = try organization.map { name throws(AdminFailure) in
                try desk.organization(name)
            }
            let keys =
                if let page = desk.page {
                    try desk.ledger.adminKeys(of: owner, isUsable: !all, page)
                } else {
                    try desk.ledger.adminKeys(of: owner).filter { all || $0.isUsable }
                }
            try desk.answer(keys.map(AdminKeyView.record), names: AdminKeyView.names) {
                if keys.isEmpty {
                    return ["No admin keys\(all ? "" : " that work; --all shows the others")."]
                }
                return AdminKeyView.table(keys, desk)
            }
        }
    }

    /// `admin admin-key revoke KEYID`.
    struct Revoke: AdminSubcommand {
        static let configuration = CommandConfiguration(
            abstract: "End a key of the admin HTTP API for good.",
            discussion: """
                The next request with it is refused. This cannot be undone.

                Example:
                  turnpike admin admin-key revoke 3kTMd92Zx0q --yes
                """)

        @Argument(help: "The key id.", transform: KeyArgument.init)
        var keyID: KeyArgument
        @Flag(help: "Do not ask.")
        var yes = false
        @OptionGroup var options: AdminOptions

        func validate() throws { _ = try keyID.check() }

        func execute(_ desk: AdminDesk) throws {
            let id = try keyID.check()
            let key = try desk.adminKey(id)
            if key.revokedAt == nil {
                try desk.confirm(
                    "Revoke admin key \(key.id) (\(key.name)) for good?", isConfirmed: yes)
                try desk.ledger.revokeAdminKey(id)
            }
            try desk.answer(AdminKeyView.record(try desk.adminKey(id))) {
                [
                    key.revokedAt == nil
                        ? "Admin key \(id) is revoked." : "Admin key \(id) was revoked already."
                ]
            }
        }
    }
}

extension AdminDesk {
    /// The admin key of that id.
    func adminKey(_ id: KeyID) throws(AdminFailure) -> AdminKeyEntry {
        guard let found = try ledger.findAdminKey(id) else {
            throw .notFound(
                "admin key", id.description,
                advice: "See `turnpike admin admin-key list --all` for those there are.")
        }
        return found
    }
}

/// An admin key as people and programs see it.
enum AdminKeyView {
    /// The fields of a key for programs.
    static let names = [
        "admin_key_id", "name", "role", "organization", "state", "last4", "created_at",
        "expires_at", "revoked_at", "last_used_at",
    ]

    /// A key for programs.
    static func record(_ key: AdminKeyEntry) -> Record {
        Record(
            names,
            [
                .text(key.id.description), .text(key.name), .text(key.role.rawValue),
                .optional(organization(key)), .text(state(key)), .text(key.last4),
                .text(TimeText.iso(key.createdAt)), .optional(key.expiresAt.map(TimeText.iso)),
                .optional(key.revokedAt.map(TimeText.iso)),
                .optional(key.lastUsedAt.map(TimeText.iso)),
            ])
    }

    /// Keys for people.
    static func table(_ keys: [AdminKeyEntry], _ desk: AdminDesk) -> [String] {
        desk.tables.lines(
            columns: [
                .whole("Key"), .text("Name", minimum: 8), .whole("Role"),
                .text("Organization", minimum: 8), .whole("State"), .whole("Last used"),
            ],
            rows: keys.map { key in
                [
                    .text(key.id.description), .text(key.name), .text(key.role.rawValue),
                    .text(organization(key) ?? "all"), .text(state(key)),
                    .text(key.lastUsedAt.map { TimeText.short($0) } ?? "never"),
                ]
            }, totals: nil)
    }

    /// Hands a secret over: in the file, or in the answer.
    static func show(
        _ minted: borrowing MintedAdminKeyEntry, _ file: SecretFile?, _ desk: AdminDesk
    ) throws {
        let secret = minted.secret.withBytes { String(decoding: $0, as: UTF8.self) }
        let key = minted.key
        do {
            try file?.fill(secret)
            var record = record(key)
            record.fields.insert(
                file == nil ? ("key", .text(secret)) : ("secret_file", .text(file?.path ?? "")),
                at: 1)
            try desk.answer(record) {
                let shown = file.map { "The key is in \(DisplayWidth.printable($0.path))" }
                let details = DetailFormatter(width: desk.output.width, style: desk.output.style)
                return [desk.output.style.bold(shown ?? secret), ""]
                    + details.lines([
                        ("Key id", key.id.description), ("Name", key.name),
                        ("Role", key.role.rawValue), ("Organization", organization(key) ?? "all"),
                        ("Expires", key.expiresAt.map { TimeText.short($0) + " UTC" } ?? "never"),
                    ]) + [
                        "",
                        "Shown once: only a digest is stored. Lost means revoked and made anew.",
                    ]
            }
        } catch {
            throw AdminFailure.refused(
                "Admin key \(key.id) was made, but its secret could not be handed over and is lost.",
                advice: "Revoke it: turnpike admin admin-key revoke \(key.id)")
        }
    }

    /// The organization that it is bound to: its name, or its id once it is deleted.
    private static func organization(_ key: AdminKeyEntry) -> String? {
        key.organization.map { key.organizationName ?? String($0.rawValue) }
    }

    private static func state(_ key: AdminKeyEntry) -> String {
        key.revokedAt != nil ? "revoked" : key.isUsable ? "active" : "expired"
    }
}
