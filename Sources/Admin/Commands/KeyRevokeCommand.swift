import ArgumentParser
import Domain
import Ledger

/// `admin key revoke KEYID`.
struct KeyRevokeCommand: AdminSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "End a key for good.",
        discussion: """
            New requests are refused by the ledger at once and by every gateway within two seconds, and running ones are \
            cut. This cannot be undone. The reason is for administrators only. Of a key that is being rotated only the \
            secret that is named ends.

            Example:
              turnpike admin key revoke 3kTMd92Zx0q --reason "found in a public repository" --yes
            """)

    @Argument(help: "The key id.", transform: KeyArgument.init)
    var keyID: KeyArgument
    @Option(help: ArgumentHelp("Why, at most 256 bytes.", valueName: "text"))
    var reason: String?
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
            try desk.ledger.revokeKey(id, reason: reason, in: organization)
        }
        let revoked = try desk.key(id, in: organization)
        let others = try desk.ledger.keys(in: organization, of: nil).filter { other in
            other.subject == key.subject && other.id != id
                && [.active, .retiring, .pending].contains(other.state)
        }
        try desk.answer(KeyView.record(revoked, organization)) {
            [
                key.revokedAt == nil
                    ? "Key \(key.id) is revoked." : "Key \(key.id) was revoked already."
            ]
                + others.map { other in
                    "Its other secret, \(other.id), still works: turnpike admin key revoke "
                        + "\(other.id)\(desk.flag(organization))"
                }
        }
    }
}
