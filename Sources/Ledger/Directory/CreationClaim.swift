public import Domain
import OpenSSL
import Postgres

/// The word of a client that a creation is to take effect once, however often it is asked for.
public struct CreationClaim: Sendable, Hashable {
    /// Whose word it is.
    public let author: KeyID
    /// SHA-256 of the client's name for the creation.
    let nameDigest: [UInt8]
    /// SHA-256 of the whole request: under one name only the same request is a repetition.
    let fingerprint: [UInt8]

    /// What was made under the name before.
    enum Earlier: Sendable {
        /// The same request made this.
        case same(Int64)
        /// Another request has the name.
        case other
    }

    /// Makes a claim of an admin key, the name that the client chose and its request.
    public init(author: KeyID, name: [UInt8], request: [UInt8]) {
        self.author = author
        nameDigest = SHA256.hash(name)
        fingerprint = SHA256.hash(request)
    }

    /// An id that follows from the claim: 63 bits, never zero. For what has no shard before it has
    /// an id.
    var derivedID: Int64 {
        let author = author.description
        let digest = SHA256.hash(Array(author.utf8) + nameDigest)
        let bits = digest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return max(1, Int64(bits >> 1))
    }

    /// What was made under the name. In the transaction that would make it, after the shard's
    /// revision: nobody else makes anything meanwhile.
    func earlier(
        in shard: Shard, _ connection: PostgresConnection
    ) throws(PostgresError) -> Earlier? {
        try connection.execute(
            PostgresCommand(Self.find, [.int2(shard.rawValue)] + parameters)
        ).rows.first.map { row throws(PostgresError) in
            try row.bytes(1) == fingerprint ? .same(try row.int8(0)) : .other
        }
    }

    /// Notes what is made under the name, in the transaction that makes it, and forgets what was
    /// made long ago.
    func note(
        _ id: Int64, in shard: Shard, _ connection: PostgresConnection
    ) throws(PostgresError) {
        _ = try connection.execute(PostgresCommand(Self.forget, [.int2(shard.rawValue)]))
        _ = try connection.execute(
            PostgresCommand(
                Self.insert,
                [.int2(shard.rawValue)] + parameters + [.bytes(fingerprint), .int8(id)]
            ))
    }

    private var parameters: [PostgresValue] {
        [.int8(author.databaseValue), .bytes(nameDigest)]
    }

    // What a creation made. Primary key.
    private static let find = PostgresStatement(
        name: nil,
        sql: """
            SELECT created_id, fingerprint FROM admin_creation
            WHERE shard = $1 AND admin_key_id = $2 AND name_digest = $3
            """, isReadOnly: true)

    // Notes a creation. After the shard's revision, so that no two have the same name. Primary key.
    private static let insert = PostgresStatement(
        name: nil,
        sql: """
            INSERT INTO admin_creation (shard, admin_key_id, name_digest, fingerprint, created_id)
            VALUES ($1, $2, $3, $4, $5)
            """)

    // Forgets creations that nobody repeats any more. Index admin_creation_age.
    private static let forget = PostgresStatement(
        name: nil,
        sql: """
            DELETE FROM admin_creation
            WHERE shard = $1 AND created_at < now() - interval '30 days'
            """)
}
