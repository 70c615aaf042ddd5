import Domain
import Foundation
import Ledger
import TurnpikeConfiguration

/// The ledger that a configuration file names, over one connection of its own.
final class ConfiguredLedger: AdminLedger {
    let configuration: Configuration
    private(set) var store: DirectoryStore
    /// What the client of the admin HTTP API says of the creation that it asks for.
    var claim: CreationClaim?
    /// The directory's own values behind the entries that were handed out.
    private var knownOrganizations: [OrganizationID: Organization] = [:]
    private var knownTeams: [TeamID: Team] = [:]

    /// Finds and reads the configuration, and opens its database, which must have this program's
    /// schema. What is changed is recorded to be of `author`.
    static func open(
        _ file: String?, random: LedgerRandom, author: ActionAuthor
    ) throws(AdminFailure) -> ConfiguredLedger {
        let environment = ProcessInfo.processInfo.environment
        let path = try ConfigurationSearch.file(
            option: file, environment: { environment[$0] },
            exists: { FileManager.default.fileExists(atPath: $0) })
        do {
            let configuration = try Configuration.load(
                path: path, environment: { environment[$0] })
            let store = try DirectoryStore(
                url: configuration.database.connectionString, random: random, author: author)
            let state = try Migrator().check(store.connection)
            guard case .current = state else { throw LedgerError.schema(state) }
            return ConfiguredLedger(configuration, store)
        } catch let failure as ConfigurationFailure {
            throw .wrongUsage("The configuration cannot be used.", advice: failure.description)
        } catch let error as LedgerError {
            throw AdminFailure(error, configuration: path)
        } catch {
            throw .refused(
                "The ledger could not be opened.",
                advice: "May this user read \(DisplayWidth.printable(path)) and reach its database?"
            )
        }
    }

    /// The ledger over a connection that is open, to a database with this program's schema.
    init(_ configuration: Configuration, _ store: DirectoryStore) {
        self.configuration = configuration
        self.store = store
    }

    /// From here on every change is recorded to be of `author`.
    func act(as author: ActionAuthor) { store = store.acting(as: author) }

    func time() throws(AdminFailure) -> Timestamp {
        try asking { store throws(LedgerError) in try store.time() }
    }

    func createOrganization(_ name: String) throws(AdminFailure) -> OrganizationEntry {
        entry(
            try asking { [claim] store throws(LedgerError) in
                try store.organizations.create(name: name, claim: claim)
            })
    }

    func organizations() throws(AdminFailure) -> [OrganizationEntry] {
        try asking { store throws(LedgerError) in try store.organizations.list() }.map(entry)
    }

    func findOrganization(_ name: String) throws(AdminFailure) -> OrganizationEntry? {
        try asking { store throws(LedgerError) in try store.organizations.find(name: name) }
            .map(entry)
    }

    func createTeam(
        _ name: String, in organization: OrganizationEntry
    ) throws(AdminFailure) -> TeamEntry {
        let owner = try value(organization)
        return entry(
            try asking { [claim] store throws(LedgerError) in
                try store.teams.create(name: name, organization: owner, claim: claim)
            })
    }

    func teams(in organization: OrganizationEntry) throws(AdminFailure) -> [TeamEntry] {
        let owner = try value(organization)
        return try asking { store throws(LedgerError) in
            try store.teams.list(organization: owner)
        }.map(entry)
    }

    func findTeam(
        _ name: String, in organization: OrganizationEntry
    ) throws(AdminFailure) -> TeamEntry? {
        let owner = try value(organization)
        return try asking { store throws(LedgerError) in
            try store.teams.find(name: name, organization: owner)
        }.map(entry)
    }

    func mintKey(
        _ order: KeyOrder, for team: TeamEntry, in organization: OrganizationEntry
    ) throws(AdminFailure) -> MintedKeyEntry {
        let owner = try value(team, in: organization)
        let pepper = try readPepper()
        var terms = KeyStore.Terms(
            expires: order.expiresAt, models: order.models,
            defaultCompletionTokens: order.defaultCompletionTokens,
            alwaysUsage: order.streamsUsage)
        terms.mirrorsReasoning = order.mirrorsReasoning
        terms.endpoints = order.endpoints
        terms.tags = order.tags
        terms.clamps = order.clamps
        let minted: KeyStore.Minted
        do throws(LedgerError) {
            minted = try store.keys.mint(
                team: owner, name: order.name, prefix: configuration.keyPrefix, terms: terms,
                pepper: pepper, claim: claim)
        } catch {
            throw failure(error)
        }
        let key = Self.entry(minted.record)
        return MintedKeyEntry(key: key, secret: minted.takeSecret())
    }

    func keys(
        in organization: OrganizationEntry, of team: TeamEntry?
    ) throws(AdminFailure) -> [KeyEntry] {
        let owner = try value(organization)
        let group = try team.map { team throws(AdminFailure) in try value(team, in: organization) }
        return try asking { store throws(LedgerError) in
            try store.keys.list(organization: owner, team: group)
        }.map(Self.entry)
    }

    func findKey(_ id: KeyID, in organization: OrganizationEntry) throws(AdminFailure) -> KeyEntry?
    {
        // A key id names its key in the whole ledger; one of another organization is none here.
        let found = try asking { store throws(LedgerError) in try store.keys.find(id) }
        return found?.organization.id == organization.id ? found.map(Self.entry) : nil
    }

    func revokeKey(
        _ id: KeyID, reason: String?, in organization: OrganizationEntry
    ) throws(AdminFailure) {
        guard try findKey(id, in: organization) != nil else { return }
        _ = try asking { store throws(LedgerError) in try store.keys.revoke(id, reason: reason) }
    }

    func apply(
        _ changes: [AllowanceChange], to subject: Subject, model: String?,
        in organization: OrganizationEntry
    ) throws(AdminFailure) {
        let owner = try value(organization)
        _ = try asking { store throws(LedgerError) in
            try store.apply(changes, subject: subject, model: model, organization: owner)
        }
    }

    func allowances(
        on subject: Subject, in organization: OrganizationEntry
    ) throws(AdminFailure) -> [AllowanceEntry] {
        let owner = try value(organization)
        let (quotas, rates) = try asking { store throws(LedgerError) in
            (
                try store.quotas.status(subject, organization: owner),
                try store.rateLimits.list(subject, organization: owner)
            )
        }
        return Self.inOrder(quotas.map(Self.entry) + rates.map(Self.entry))
    }

    func usage(_ query: UsageQuery) throws(AdminFailure) -> [UsageRow] {
        try asking { store throws(LedgerError) in try store.reports.usage(query) }
    }

    func backends() -> [BackendEntry] { BackendEntry.all(configuration) }

    func backendUsage(_ query: BackendUsageQuery) throws(AdminFailure) -> BackendUsage {
        try asking { store throws(LedgerError) in try store.backendUsage.usage(query) }
    }

    // MARK: Between the directory's values and the commands' entries

    func asking<Value>(
        _ body: (DirectoryStore) throws(LedgerError) -> Value
    ) throws(AdminFailure) -> Value {
        do throws(LedgerError) {
            return try body(store)
        } catch {
            throw failure(error)
        }
    }

    func failure(_ error: LedgerError) -> AdminFailure {
        AdminFailure(error, configuration: configuration.file)
    }

    func entry(_ organization: Organization) -> OrganizationEntry {
        knownOrganizations[organization.id] = organization
        return OrganizationEntry(
            id: organization.id, name: organization.name, createdAt: organization.createdAt,
            suspendedAt: organization.suspendedAt, suspendReason: organization.suspendReason)
    }

    func entry(_ team: Team) -> TeamEntry {
        knownTeams[team.id] = team
        return TeamEntry(
            id: team.id, name: team.name, createdAt: team.createdAt,
            suspendedAt: team.suspendedAt, suspendReason: team.suspendReason)
    }

    func value(_ entry: OrganizationEntry) throws(AdminFailure) -> Organization {
        guard let known = knownOrganizations[entry.id] else {
            throw .notFound("organization", entry.name, advice: "Nothing was changed.")
        }
        return known
    }

    func value(
        _ entry: TeamEntry, in organization: OrganizationEntry
    ) throws(AdminFailure) -> Team {
        guard let known = knownTeams[entry.id] else {
            throw .notFound("team", entry.name, in: organization, advice: "Nothing was changed.")
        }
        return known
    }

    func readPepper() throws(AdminFailure) -> Ledger.Pepper {
        do {
            let file = try TurnpikeConfiguration.Pepper(for: configuration)
            return try file.withBytes { bytes throws(LedgerError) in
                try Ledger.Pepper(id: configuration.pepperID, bytes: copy bytes)
            }
        } catch let failure as ConfigurationFailure {
            throw .wrongUsage(
                "Without the pepper no key can be made.", advice: failure.description)
        } catch let error as LedgerError {
            throw failure(error)
        } catch {
            throw .refused(
                "The pepper could not be read.",
                advice: "May this user read the file that `pepper_file` names?")
        }
    }
}
