public import Domain
import OpenSSL
import Postgres

/// The API keys in the directory.
public struct KeyStore {
    let connection: PostgresConnection
    let random: LedgerRandom

    /// What a new key may do.
    public struct Terms: Sendable, Hashable {
        /// From when on it may not be used; nil for never.
        public var expires: Timestamp?
        /// The model aliases it may use; nil for all.
        public var models: [String]?
        /// The bound on completion tokens where the client names none; nil for the gateway's.
        public var defaultCompletionTokens: Int64?
        /// Whether streams always end with usage.
        public var alwaysUsage: Bool
        /// Whether answers tell reasoning as `reasoning` beside `reasoning_content`.
        public var mirrorsReasoning = false

        /// Makes terms.
        public init(
            expires: Timestamp?, models: [String]?, defaultCompletionTokens: Int64?,
            alwaysUsage: Bool
        ) {
            self.expires = expires
            self.models = models
            self.defaultCompletionTokens = defaultCompletionTokens
            self.alwaysUsage = alwaysUsage
        }
    }

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
        try check(name: name, prefix: prefix, terms)
        let shard = team.organization.id.shard
        let id = KeyID(shard: shard, random: random.bits())
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        for _ in 0..<4 {
            let number = random.bits()
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
            }
        }
        defer { Zeroise.erase(&bytes) }
        let secret = APIKeyFormat.write(prefix: prefix, id: id, secret: bytes)
        let (digest, last4) = secret.withBytes { token in
            (pepper.digest(of: token), String(decoding: token.suffix(4), as: UTF8.self))
        }
        let subject = random.positive()
        let record = try DirectoryTransaction.change(shard, on: connection) {
            connection throws(PostgresError) -> KeyRecord? in
            let parameters: [PostgresValue] = [
                .int2(shard.rawValue), .int8(id.databaseValue),
                .int8(team.organization.id.rawValue), .int8(team.id.rawValue), .int8(subject),
                .text(name), .text(prefix), .bytes(digest), .int2(pepper.id), .text(last4),
                terms.models.map(PostgresValue.texts) ?? .null,
                terms.defaultCompletionTokens.map(PostgresValue.int8) ?? .null,
                .bool(terms.alwaysUsage),
                terms.expires.map { .timestamp($0.microseconds) } ?? .null,
                .bool(terms.mirrorsReasoning),
            ]
            _ = try connection.execute(PostgresCommand(KeyStatements.insert, parameters))
            return try Self.read(id, connection)
        }
        guard let record else { throw .missing(what: "team", name: team.name) }
        return Minted(record: record, secret: secret)
    }

    /// The keys of an organization, or of one of its teams, by team and then by age; revoked and
    /// expired ones too.
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

    /// The key with that id, if there is one.
    public func find(_ id: KeyID) throws(LedgerError) -> KeyRecord? {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            try Self.read(id, connection)
        }
    }

    /// Revokes a key for good and returns its record; nil when there is no such key.
    ///
    /// Revoking it again changes nothing: the time is the first one's.
    public func revoke(_ id: KeyID) throws(LedgerError) -> KeyRecord? {
        try DirectoryTransaction.change(id.shard, on: connection) {
            connection throws(PostgresError) in
            _ = try connection.execute(
                PostgresCommand(
                    KeyStatements.revoke, [.int2(id.shard.rawValue), .int8(id.databaseValue)]))
            return try Self.read(id, connection)
        }
    }

    private static func read(
        _ id: KeyID, _ connection: PostgresConnection
    ) throws(PostgresError) -> KeyRecord? {
        let command = PostgresCommand(
            KeyStatements.find, [.int2(id.shard.rawValue), .int8(id.databaseValue)])
        return try connection.execute(command).rows.first.map(KeyRecord.init)
    }

    private func check(name: String, prefix: String, _ terms: Terms) throws(LedgerError) {
        try DirectoryName.check(name, of: "a key")
        guard APIKeyFormat.isPrefix(Array(prefix.utf8)) else {
            throw .invalid("a key's prefix is 2 to 16 of a-z, 0-9 and -, and begins with a letter")
        }
        if let bound = terms.defaultCompletionTokens, bound < 1 {
            throw .invalid("a key's default of completion tokens is at least 1")
        }
        if let models = terms.models {
            guard !models.isEmpty, models.count <= 1000, models.allSatisfy({ !$0.isEmpty }) else {
                throw .invalid("a key names 1 to 1000 models, or none for all")
            }
        }
    }
}

/// The statements about keys.
private enum KeyStatements {
    // Stores a key of a team that exists in this organization. After the revision's row. The
    // database's clock says from when on the key is valid, so that no clock difference keeps it
    // out.
    static let insert = PostgresStatement(
        name: nil,
        sql: """
            INSERT INTO api_key (shard, key_id, organization_id, team_id, subject_id, name, prefix,
                mac, pepper_id, last4, models, default_completion_tokens, always_usage, not_after,
                mirror_reasoning)
            SELECT t.shard, $2, t.organization_id, t.team_id, $5, $6, $7, $8, $9, $10, $11::text[],
                $12::int8, $13, $14::timestamptz, $15
            FROM team t WHERE t.shard = $1 AND t.organization_id = $3 AND t.team_id = $4
            """)

    // One key with its names. Primary keys.
    static let find = PostgresStatement(
        name: nil,
        sql: """
            SELECT \(KeyRecord.columns) FROM api_key k
            JOIN team t ON t.shard = k.shard AND t.team_id = k.team_id
            JOIN organization o ON o.shard = k.shard AND o.organization_id = k.organization_id
            WHERE k.shard = $1 AND k.key_id = $2
            """, isReadOnly: true)

    // The keys of an organization or of one team. Never of another organization, whose keys may
    // share the shard. Index api_key (shard, team_id).
    static let list = PostgresStatement(
        name: nil,
        sql: """
            SELECT \(KeyRecord.columns) FROM api_key k
            JOIN team t ON t.shard = k.shard AND t.team_id = k.team_id
            JOIN organization o ON o.shard = k.shard AND o.organization_id = k.organization_id
            WHERE k.shard = $1 AND k.organization_id = $2 AND ($3::int8 IS NULL OR k.team_id = $3)
            ORDER BY t.name COLLATE "C", k.created_at, k.key_id
            """, isReadOnly: true)

    // Revokes once: a key that is revoked keeps its time. After the revision's row. Primary key.
    // From its commit on no lane opens a request of the key.
    static let revoke = PostgresStatement(
        name: nil,
        sql: """
            UPDATE api_key SET revoked_at = now()
            WHERE shard = $1 AND key_id = $2 AND revoked_at IS NULL
            """)
}
