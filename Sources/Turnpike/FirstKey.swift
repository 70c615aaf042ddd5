import Domain
import Ledger
import Postgres
import TurnpikeConfiguration

/// The team and the key that the first start makes, so that there is something to call with.
struct FirstKey {
    let directory: DataDirectory
    let wiring: Wiring

    private static let team = "default"
    private static let key = "first"
    private static let file = "first-key"
    /// There until a first key was shown: a start that was interrupted before is repeated, and the
    /// key that nobody has seen is revoked.
    private static let marker = "first-key.pending"

    /// Makes the first key unless that was done before. Returns its text, to be shown once; nil
    /// when it was made at an earlier start.
    func ensure() async throws -> String? {
        let wasInterrupted = directory.has(Self.marker)
        if !wasInterrupted {
            if directory.has(Self.file) { return nil }
            if try await isInUse() { return nil }
            try directory.write("", to: Self.marker)
        }
        let text = try await make()
        try directory.write(text + "\n", to: Self.file)
        return text
    }

    /// The key was shown. Until then a start that fails leaves it to the next one to make and show
    /// another.
    func wasShown() { directory.remove(Self.marker) }

    /// Whether somebody has made a team: then it is not the first start, even if the file was
    /// removed.
    private func isInUse() async throws -> Bool {
        let random = wiring.random
        return try await Wiring.withDatabase(wiring.configuration) {
            connection throws(LedgerError) in
            try !DirectoryStore(connection, random: random, author: Wiring.author)
                .teams.list(organization: nil).isEmpty
        }
    }

    private func make() async throws -> String {
        let (random, pepper) = (wiring.random, wiring.pepper)
        let prefix = wiring.configuration.keyPrefix
        return try await Wiring.withDatabase(wiring.configuration) {
            connection throws(LedgerError) in
            let store = DirectoryStore(connection, random: random, author: Wiring.author)
            guard let organization = try store.organizations.find(name: "default") else {
                throw LedgerError.missing(what: "organization", name: "default")
            }
            let found = try store.teams.find(name: Self.team, organization: organization)
            let team =
                if let found {
                    found
                } else {
                    try store.teams.create(name: Self.team, organization: organization)
                }
            for key in try store.keys.list(organization: organization, team: team)
            where key.name == Self.key {
                _ = try store.keys.revoke(key.id)
            }
            let terms = KeyStore.Terms(
                expires: nil, models: nil, defaultCompletionTokens: nil, alwaysUsage: false)
            let minted = try store.keys.mint(
                team: team, name: Self.key, prefix: prefix, terms: terms, pepper: pepper)
            return minted.secret.withBytes { String(decoding: copy $0, as: UTF8.self) }
        }
    }
}
