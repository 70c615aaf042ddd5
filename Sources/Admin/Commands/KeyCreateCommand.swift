import ArgumentParser
import Domain

/// `admin key create`.
struct KeyCreateCommand: AdminSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a key and show it, this once.",
        discussion: """
            The key is printed once and stored nowhere: the ledger keeps only a digest. With --secret-file it goes into a \
            new file that only you may read, and not to the terminal.

            Example:
              turnpike admin key create --team research --name ci --expires 90d \\
                --models tiny,gpt-4o --secret-file ci.key
            """)

    @Option(help: ArgumentHelp("The team it is for.", valueName: "name"))
    var team: String
    @Option(help: ArgumentHelp("What to call it, 1 to 64 bytes.", valueName: "name"))
    var name: String
    @Option(
        help: ArgumentHelp(
            "When it stops being valid: a span such as 90d, or a date (UTC). Default: never.",
            valueName: "when"),
        transform: TimeArgument.read)
    var expires: TimeArgument?
    @Option(
        help: ArgumentHelp(
            "The models it may use, separated by commas. Default: all.", valueName: "names"))
    var models: String?
    @Flag(help: "End its streams with their usage, also where no request asks for that.")
    var streamUsage = false
    @Flag(help: "Tell reasoning as reasoning too, beside reasoning_content.")
    var mirrorReasoning = false
    @Option(help: ArgumentHelp("A new file (mode 0600) for the key.", valueName: "file"))
    var secretFile: String?
    @OptionGroup var tenant: OrganizationOption
    @OptionGroup var options: AdminOptions

    func validate() throws {
        try NameText.check(name)
        _ = try NameText.models(models)
    }

    func execute(_ desk: AdminDesk) throws {
        let organization = try desk.organization(tenant.organization)
        let owner = try desk.team(team, in: organization)
        let now = try desk.ledger.time()
        let expiresAt = expires?.after(now)
        if let expiresAt, expiresAt <= now {
            throw AdminFailure.wrongUsage(
                "--expires \(TimeText.short(expiresAt)) is past; the key could never be used.",
                advice: "Nothing was created. Give a later date or a span such as 90d.")
        }
        let order = KeyOrder(
            name: name, expiresAt: expiresAt, models: try NameText.models(models),
            streamsUsage: streamUsage, mirrorsReasoning: mirrorReasoning)
        let file = try secretFile.map { path throws(AdminFailure) in
            try SecretFile.reserve(path)
        }
        let minted: MintedKeyEntry
        do throws(AdminFailure) {
            minted = try desk.ledger.mintKey(order, for: owner, in: organization)
        } catch {
            file?.discard()
            throw error
        }
        try show(minted, in: file, desk, organization)
    }

    private func show(
        _ minted: borrowing MintedKeyEntry, in file: SecretFile?, _ desk: AdminDesk,
        _ organization: OrganizationEntry
    ) throws {
        let secret = minted.secret.withBytes { String(decoding: $0, as: UTF8.self) }
        let key = minted.key
        do {
            try file?.fill(secret)
            var record = KeyView.record(key, organization)
            record.fields.insert(
                file == nil ? ("key", .text(secret)) : ("secret_file", .text(file?.path ?? "")),
                at: 1)
            try desk.answer(record) { block(key, secret, file, desk) }
        } catch {
            throw AdminFailure.refused(
                "Key \(key.id) was made, but its secret could not be handed over and is lost.",
                advice: "Revoke it: turnpike admin key revoke \(key.id)\(desk.flag(organization))")
        }
    }

    private func block(
        _ key: KeyEntry, _ secret: String, _ file: SecretFile?, _ desk: AdminDesk
    ) -> [String] {
        let details = DetailFormatter(width: desk.output.width, style: desk.output.style).lines([
            (name: "Key id", value: key.id.description),
            (name: "Name", value: key.name),
            (name: "Team", value: key.team),
            (name: "Models", value: key.models?.joined(separator: ", ") ?? "all"),
            (name: "Expires", value: key.expiresAt.map { TimeText.short($0) + " UTC" } ?? "never"),
        ])
        // Alone on its line, so that a double click and a pipe take the whole of it.
        let shown = file.map { "The key is in \(DisplayWidth.printable($0.path))" } ?? secret
        return [desk.output.style.bold(shown), ""] + details + [
            "", "Shown once: only a digest is stored. Lost means revoked and made anew.",
        ]
    }
}

extension TimeArgument {
    /// `parse` as the argument parser wants it.
    @Sendable static func read(_ text: String) throws -> TimeArgument { try parse(text) }
}
