import Domain
import OpenSSL
import Postgres
import TestSupport

@testable import Ledger

/// A directory in a fresh database, with one team of the default organization.
struct DirectoryFixture {
    static let random = LedgerRandom { UInt64.random(in: 0 ... .max) }

    let database: TestDatabase
    let store: DirectoryStore
    let pepper: Pepper
    let organization: Organization
    let team: Team

    init() throws {
        database = try TestDatabase.make()
        store = try DirectoryStore(url: database.url, random: Self.random, author: .test)
        pepper = try Pepper(id: 1, bytes: (0..<32).map { UInt8($0) })
        guard let found = try store.organizations.find(name: "default") else {
            throw LedgerError.missing(what: "organization", name: "default")
        }
        organization = found
        team = try store.teams.create(name: "research", organization: organization)
    }

    /// Mints a key and returns its record and its token.
    func mint(
        _ name: String = "ci", team: Team? = nil, expires: Timestamp? = nil, models: [String]? = nil
    ) throws -> (record: KeyRecord, token: [UInt8]) {
        let minted = try store.keys.mint(
            team: team ?? self.team, name: name, prefix: "sk-test",
            terms: KeyStore.Terms(
                expires: expires, models: models, defaultCompletionTokens: nil, alwaysUsage: false),
            pepper: pepper)
        let record = minted.record
        let token = minted.takeSecret().withBytes { bytes in Array(bytes) }
        return (record, token)
    }

    /// Runs one statement without parameters.
    func rows(_ sql: String) throws -> [PostgresRow] {
        try store.connection.execute(PostgresCommand(PostgresStatement(name: nil, sql: sql), []))
            .rows
    }

    /// The revision of the default organization's shard.
    func revision() throws -> Int64 {
        try rows("SELECT revision FROM directory_revision WHERE shard = 229")[0].int8(0)
    }
}

extension CachedKeyDirectory {
    /// Checks a token given as bytes.
    func check(
        _ token: [UInt8], from source: String = "192.0.2.1"
    ) async throws -> Authentication {
        let secret = APIKeySecret(bytes: token)
        return try await authenticate(secret, from: source)
    }
}

extension Authentication {
    /// The principal, when there is one.
    var principal: Principal? {
        if case .principal(let principal) = self { principal } else { nil }
    }

    /// Whether the key was refused.
    var isRefused: Bool {
        if case .refused = self { true } else { false }
    }

    /// Whether the source must wait.
    var isThrottled: Bool {
        if case .throttled = self { true } else { false }
    }
}
