import ArgumentParser
import Domain

/// Whose quotas a command is about: exactly one of a key, a team and an organization.
struct SubjectOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A key.", valueName: "key-id"), transform: KeyArgument.init)
    var key: KeyArgument?
    @Option(help: ArgumentHelp("A team.", valueName: "name"))
    var team: String?
    @Option(
        help: ArgumentHelp(
            "An organization; together with --key or --team, the one they belong to.",
            valueName: "name"))
    var organization: String?

    /// A subject that was found, and how to name it.
    struct Found {
        let subject: Subject
        let organization: OrganizationEntry
        /// The key id or the name.
        let name: String
        /// How to name it on a command line.
        let flags: String

        /// How to name it in a sentence.
        var title: String {
            subject.kind == .key ? "key \(name)" : "\(subject.kind.name) \(QuotedText.quoted(name))"
        }
    }

    func validate() throws {
        _ = try key?.check()
        guard key == nil || team == nil else {
            throw ValidationError("--key and --team are two subjects; name one.")
        }
        guard key != nil || team != nil || organization != nil else {
            throw ValidationError("Whose? Name one of --key, --team and --organization.")
        }
    }

    /// Finds the subject. What belongs to another organization is not found.
    func find(at desk: AdminDesk) throws -> Found {
        let owner = try desk.organization(organization ?? "default")
        if let key = try key?.check() {
            let entry = try desk.key(key, in: owner)
            return Found(
                subject: Subject(kind: .key, id: entry.subject), organization: owner,
                name: key.description, flags: "--key \(key)\(desk.flag(owner))")
        }
        if let team {
            let entry = try desk.team(team, in: owner)
            return Found(
                subject: Subject(kind: .team, id: entry.id.rawValue), organization: owner,
                name: entry.name, flags: "--team \(entry.name)\(desk.flag(owner))")
        }
        return Found(
            subject: Subject(kind: .organization, id: owner.id.rawValue), organization: owner,
            name: owner.name, flags: "--organization \(owner.name)")
    }
}
