import Domain
import Ledger

/// An organization, a team or a key, with the organization that it belongs to.
enum SubjectEntry: Equatable {
    case organization(OrganizationEntry)
    case team(TeamEntry, OrganizationEntry)
    case key(KeyEntry, OrganizationEntry)

    /// The tenant.
    var organization: OrganizationEntry {
        switch self {
        case .organization(let organization), .team(_, let organization),
            .key(_, let organization):
            organization
        }
    }

    /// How to name it in a sentence.
    var title: String {
        switch self {
        case .organization(let organization):
            "organization \(QuotedText.quoted(organization.name))"
        case .team(let team, _): "team \(QuotedText.quoted(team.name))"
        case .key(let key, _):
            "key \(key.id) (\(DisplayWidth.printable(key.name)), team "
                + "\(DisplayWidth.printable(key.team)))"
        }
    }

    /// How to name it on a command line, behind its noun.
    var argument: String {
        switch self {
        case .organization(let organization): organization.name
        case .team(let team, _): team.name
        case .key(let key, _): key.id.description
        }
    }
}

/// What is asked of the ledger about the life of organizations, teams and keys. Each change is one
/// transaction, but for an organization's name, whose change is finished by repeating it.
protocol SubjectLedger {
    /// Refuses a subject's requests until it is resumed.
    func suspend(_ subject: SubjectEntry, reason: String?) throws(AdminFailure)
    /// Ends a suspension of the subject itself.
    func resume(_ subject: SubjectEntry) throws(AdminFailure)
    /// Gives a subject another name; refused when the name is taken.
    func rename(_ subject: SubjectEntry, to name: String) throws(AdminFailure)
    /// Deletes a subject for good; what it used stays in the books. Refused when it has teams or
    /// keys and `contents` is false.
    func delete(_ subject: SubjectEntry, contents: Bool) throws(AdminFailure)

    /// Makes a second secret of a key; the one named ends after `grace`.
    func rotateKey(
        _ id: KeyID, grace: Duration, in organization: OrganizationEntry
    ) throws(AdminFailure) -> MintedKeyEntry
    /// Ends the secrets of a key that were replaced; none when no rotation is under way.
    func finishRotation(
        of id: KeyID, in organization: OrganizationEntry
    ) throws(AdminFailure) -> [KeyID]
    /// Changes a key's terms, as `change` says of those it has.
    func changeKey(
        _ id: KeyID, in organization: OrganizationEntry, _ change: (inout KeyStore.Terms) -> Void
    ) throws(AdminFailure)
}
