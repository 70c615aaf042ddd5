public import Domain
import Postgres

/// The API keys in the directory.
public struct KeyStore {
    let connection: PostgresConnection
    let recorder: ActionRecorder

    var random: LedgerRandom { recorder.random }

    /// A new key: its record, and its secret, which exists nowhere else.
    public struct Minted: ~Copyable {
        /// What is stored.
        public let record: KeyRecord
        /// What is shown once. Its bytes are overwritten when it goes.
        public let secret: APIKeySecret

        /// Hands over the secret alone.
        public consuming func takeSecret() -> APIKeySecret { secret }
    }

    /// Makes a key of 256 random bits and stores its digest under `pepper`.
    ///
    /// Throws `invalid` for a prefix or terms that break a rule, and `missing` when the team is
    /// gone. With a claim, what was made under it before is `repeated`, and nothing is made.
    public func mint(
        team: Team, name: String, prefix: String, terms: Terms, pepper: Pepper,
        claim: CreationClaim? = nil
    ) throws(LedgerError) -> Minted {
        try DirectoryName.check(name, of: "a key")
        guard APIKeyFormat.isPrefix(Array(prefix.utf8)), prefix != AdminKeyStore.prefix else {
            throw .invalid("a key's prefix is 2 to 16 of a-z, 0-9 and -, and begins with a letter")
        }
        try terms.check()
        let shard = team.organization.id.shard
        let fresh = FreshSecret(shard: shard, prefix: prefix, pepper: pepper, random: random)
        let id = fresh.id
        let parameters: [PostgresValue] =
            [
                .int2(shard.rawValue), .int8(id.databaseValue),
                .int8(team.organization.id.rawValue), .int8(team.id.rawValue),
                .int8(random.positive()), .text(name), .text(prefix), .bytes(fresh.digest),
                .int2(pepper.id), .text(fresh.last4),
            ] + terms.parameters
        enum Outcome {
            case made(KeyRecord?), repeated(CreationClaim.Earlier)
        }
        let outcome = try DirectoryTransaction.change(shard, on: connection, by: recorder) {
            connection, log throws(PostgresError) -> Outcome in
            if let earlier = try claim?.earlier(in: shard, connection) {
                return .repeated(earlier)
            }
            _ = try connection.execute(PostgresCommand(KeyStatements.insert, parameters))
            guard let made = try Self.read(id, connection) else { return .made(nil) }
            try claim?.note(id.databaseValue, in: shard, connection)
            log.note(.keyCreate, of: nil, made)
            return .made(made)
        }
        switch outcome {
        case .made(let record?): return Minted(record: record, secret: fresh.takeSecret())
        case .made(nil): throw .missing(what: "team", name: team.name)
        case .repeated(let earlier): throw LedgerError(earlier)
        }
    }

    /// The keys of an organization, or of one of its teams, by team and then by age; revoked and
    /// expired ones too, deleted ones not.
    public func list(organization: Organization, team: Team?) throws(LedgerError) -> [KeyRecord] {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            let command = PostgresCommand(
                KeyStatements.list,
                [
                    .int2(organization.id.shard.rawValue), .int8(organization.id.rawValue),
                    team.map { .int8($0.id.rawValue) } ?? .null,
                ])
            return try connection.execute(command).rows.map(KeyRecord.init)
        }
    }

    /// Some keys of an organization, or of one of its teams, in the order of their ids, which says
    /// nothing of their age; deleted ones never. Reads no more of the list than the page.
    public func page(
        organization: Organization, team: Team?, _ selection: KeySelection,
        _ page: ListPage<KeyID>
    ) throws(LedgerError) -> [KeyRecord] {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            try PageStatements.rows(
                KeyStatements.page(of: organization.id, team: team?.id, selection, page), connection
            ).map(KeyRecord.init)
        }
    }

    /// The key with that id, if there is one that is not deleted.
    public func find(_ id: KeyID) throws(LedgerError) -> KeyRecord? {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            try Self.read(id, connection)
        }
    }

    static func read(
        _ id: KeyID, _ connection: PostgresConnection
    ) throws(PostgresError) -> KeyRecord? {
        try connection.execute(KeyStatements.command(KeyStatements.find, id)).rows.first
            .map(KeyRecord.init)
    }
}
