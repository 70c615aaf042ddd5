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
        /// What it belongs to, the nearest first: their quotas hold for it too.
        var above: [Found] = []

        /// How to name it in a table about one key or team.
        var short: String { subject.kind == .key ? "the key" : "\(subject.kind.name) \(name)" }

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
            return try Self.find(try desk.key(key, in: owner), owner, desk)
        }
        if let team { return Self.found(try desk.team(team, in: owner), owner, desk) }
        return Self.found(owner)
    }

    /// A key, with its team and its organization above it.
    static func find(
        _ key: KeyEntry, _ owner: OrganizationEntry, _ desk: AdminDesk
    ) throws(AdminFailure) -> Found {
        let team = found(try desk.team(key.team, in: owner), owner, desk)
        return Found(
            subject: Subject(kind: .key, id: key.subject), organization: owner,
            name: key.id.description, flags: "--key \(key.id)\(desk.flag(owner))",
            above: [team] + team.above)
    }

    private static func found(
        _ team: TeamEntry, _ owner: OrganizationEntry, _ desk: AdminDesk
    ) -> Found {
        Found(
            subject: Subject(kind: .team, id: team.id.rawValue), organization: owner,
            name: team.name, flags: "--team \(team.name)\(desk.flag(owner))",
            above: [found(owner)])
    }

    private static func found(_ owner: OrganizationEntry) -> Found {
        Found(
            subject: Subject(kind: .organization, id: owner.id.rawValue), organization: owner,
            name: owner.name, flags: "--organization \(owner.name)")
    }
}
