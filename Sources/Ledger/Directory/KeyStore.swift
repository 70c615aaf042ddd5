public import Domain
import Postgres

/// The API keys in the directory.
public struct KeyStore {
    let connection: PostgresConnection
    let random: LedgerRandom

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
    /// gone.
    public func mint(
        team: Team, name: String, prefix: String, terms: Terms, pepper: Pepper
    ) throws(LedgerError) -> Minted {
        try DirectoryName.check(name, of: "a key")
        guard APIKeyFormat.isPrefix(Array(prefix.utf8)) else {
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
        let record = try DirectoryTransaction.change(shard, on: connection) {
            connection throws(PostgresError) -> KeyRecord? in
            _ = try connection.execute(PostgresCommand(KeyStatements.insert, parameters))
            return try Self.read(id, connection)
        }
        guard let record else { throw .missing(what: "team", name: team.name) }
        return Minted(record: record, secret: fresh.takeSecret())
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
