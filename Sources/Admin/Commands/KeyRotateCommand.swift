import ArgumentParser
import Domain

/// `admin key rotate KEYID`.
struct KeyRotateCommand: AdminSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Make a key's next secret; the one before ends later.",
        discussion: """
            The new secret has a key id of its own and the same quotas, limits, terms and usage: both together stay \
            within them. The one before ends by itself when the grace is over, or at once with --finish. `key list` \
            shows when each was last used. A key has at most two secrets.

            Example:
              turnpike admin key rotate 3kTMd92Zx0q --grace 24h --secret-file next.key
              turnpike admin key rotate 3kTMd92Zx0q --finish
            """)

    /// The longest grace, in days: who needs more needs a second key.
    private static let longestGrace: Int64 = 90

    @Argument(help: "The key id; with --finish, either of the two.", transform: KeyArgument.init)
    var keyID: KeyArgument
    @Option(
        help: ArgumentHelp(
            "For how long the one before still works, such as 24h, at most 90d. Default: 24h.",
            valueName: "span"),
        transform: TimeArgument.read)
    var grace: TimeArgument?
    @Flag(help: "End the secret before at once.")
    var finish = false
    @Option(help: ArgumentHelp("A new file (mode 0600) for the key.", valueName: "file"))
    var secretFile: String?
    @OptionGroup var tenant: OrganizationOption
    @OptionGroup var options: AdminOptions

    func validate() throws {
        _ = try keyID.check()
        if finish, grace != nil || secretFile != nil {
            throw ValidationError("--finish makes no secret; give nothing besides it.")
        }
        _ = try span()
    }

    func execute(_ desk: AdminDesk) throws {
        let id = try keyID.check()
        let organization = try desk.organization(tenant.organization)
        let key = try desk.key(id, in: organization)
        if finish { return try end(key, organization, desk) }
        let grace = try span()
        let handover = try SecretHandover(file: secretFile)
        let minted: MintedKeyEntry
        do throws(AdminFailure) {
            minted = try desk.ledger.rotateKey(id, grace: grace, in: organization)
        } catch {
            handover.discard()
            throw error
        }
        let old = try desk.key(id, in: organization)
        let until = old.expiresAt.map { TimeText.short($0) + " UTC" } ?? "it is revoked"
        try handover.show(
            minted, desk, organization,
            more: [
                "The one before, \(id), works until \(until).",
                "Sooner: turnpike admin key rotate \(id) --finish\(desk.flag(organization))",
            ])
    }

    private func end(
        _ key: KeyEntry, _ organization: OrganizationEntry, _ desk: AdminDesk
    ) throws {
        let ended = try desk.ledger.finishRotation(of: key.id, in: organization)
        guard let old = ended.first else {
            throw AdminFailure.refused(
                "Key \(key.id) is not being rotated.", advice: "Nothing was changed.")
        }
        let entry = try desk.key(old, in: organization)
        try desk.answer(KeyView.record(entry, organization)) {
            ["The secret before, \(old), is revoked."]
        }
    }

    private func span() throws(ValidationError) -> Duration {
        switch grace {
        case nil: return .seconds(86_400)
        case .span(let count, let unit):
            guard count * unit.rawValue <= Self.longestGrace * 86_400 else {
                throw ValidationError("--grace is at most \(Self.longestGrace)d.")
            }
            return .seconds(count * unit.rawValue)
        case .instant, .date: throw ValidationError("--grace is a span, such as 24h.")
        }
    }
}
