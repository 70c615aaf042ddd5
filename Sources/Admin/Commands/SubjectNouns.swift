import ArgumentParser
import Domain

/// What a command is about, as it is typed: an organization, a team or a key.
protocol SubjectNoun: ParsableArguments {
    /// The command's word for it.
    static var word: String { get }
    /// The word in a sentence.
    static var title: String { get }
    /// One as an example.
    static var example: String { get }

    /// Finds it. What belongs to another organization is not found.
    func find(at desk: AdminDesk) throws -> SubjectEntry
}

/// An organization by its name.
struct OrganizationNoun: SubjectNoun {
    static let word = "org"
    static let title = "organization"
    static let example = "acme"

    @Argument(help: "The organization.")
    var name: String

    func find(at desk: AdminDesk) throws -> SubjectEntry {
        .organization(try desk.organization(name))
    }
}

/// A team by its name.
struct TeamNoun: SubjectNoun {
    static let word = "team"
    static let title = "team"
    static let example = "research"

    @Argument(help: "The team.")
    var name: String
    @OptionGroup var tenant: OrganizationOption

    func find(at desk: AdminDesk) throws -> SubjectEntry {
        let organization = try desk.organization(tenant.organization)
        return .team(try desk.team(name, in: organization), organization)
    }
}

/// A key by its id.
struct KeyNoun: SubjectNoun {
    static let word = "key"
    static let title = "key"
    static let example = "3kTMd92Zx0q"

    @Argument(help: "The key id.", transform: KeyArgument.init)
    var keyID: KeyArgument
    @OptionGroup var tenant: OrganizationOption

    func validate() throws { _ = try keyID.check() }

    func find(at desk: AdminDesk) throws -> SubjectEntry {
        let id = try keyID.check()
        let organization = try desk.organization(tenant.organization)
        return .key(try desk.key(id, in: organization), organization)
    }
}

extension AdminDesk {
    /// The same subject as it is now, under another name if it was given one.
    func again(_ subject: SubjectEntry, named name: String? = nil) throws -> SubjectEntry {
        switch subject {
        case .organization(let old): .organization(try organization(name ?? old.name))
        case .team(let old, let organization):
            .team(try team(name ?? old.name, in: organization), organization)
        case .key(let old, let organization):
            .key(try key(old.id, in: organization), organization)
        }
    }
}
