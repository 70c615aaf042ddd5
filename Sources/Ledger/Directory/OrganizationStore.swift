public import Domain
import OpenSSL
import Postgres

/// A tenant.
public struct Organization: Sendable, Hashable {
    /// Its id, which also says its shard.
    public let id: OrganizationID
    /// Its name, unique in the ledger.
    public let name: String
    /// When it was created.
    public let createdAt: Timestamp
}

/// The tenants in the directory.
public struct OrganizationStore {
    let connection: PostgresConnection

    /// Creates an organization.
    ///
    /// Its id is derived from its name, so that creating it again after a crash between the two
    /// steps (the name in shard 0, the organization in its own shard, which no transaction may
    /// span) finishes what was begun. Throws `exists` when there is one of that name.
    public func create(name: String) throws(LedgerError) -> Organization {
        try DirectoryName.check(name, of: "an organization")
        let id = try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            _ = try connection.execute(
                OrganizationStatements.reserve(name, Self.derivedID(of: name)))
            return try Self.reservedID(name, connection)
        }
        guard let id else { throw .missing(what: "organization", name: name) }
        let created = try DirectoryTransaction.change(id.shard, on: connection) {
            connection throws(PostgresError) -> Timestamp? in
            try connection.execute(OrganizationStatements.insert(name, id)).rows.first.map {
                row throws(PostgresError) in Timestamp(microseconds: try row.timestamp(0))
            }
        }
        guard let created else { throw .exists(what: "organization", name: name) }
        return Organization(id: id, name: name, createdAt: created)
    }

    /// Every organization, by name.
    public func list() throws(LedgerError) -> [Organization] {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            let ids = try connection.execute(OrganizationStatements.list).rows.map {
                row throws(PostgresError) in OrganizationID(rawValue: try row.int8(0))
            }
            var found: [Organization] = []
            // Each in its own shard, a pipeline's worth at a time.
            for start in stride(from: 0, to: ids.count, by: 1000) {
                let part = ids[start..<min(start + 1000, ids.count)]
                let results = try connection.pipeline(part.map(OrganizationStatements.read))
                for (id, result) in zip(part, results) {
                    guard let row = result.rows.first else { continue }
                    found.append(try Self.organization(id, row))
                }
            }
            return found
        }
    }

    /// The organization of that name, if there is one.
    public func find(name: String) throws(LedgerError) -> Organization? {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            guard let id = try Self.reservedID(name, connection),
                let row = try connection.execute(OrganizationStatements.read(id)).rows.first
            else { return nil }
            let found = try Self.organization(id, row)
            return found.name == name ? found : nil
        }
    }

    private static func organization(
        _ id: OrganizationID, _ row: PostgresRow
    ) throws(PostgresError) -> Organization {
        Organization(
            id: id, name: try row.text(0),
            createdAt: Timestamp(microseconds: try row.timestamp(1)))
    }

    private static func reservedID(
        _ name: String, _ connection: PostgresConnection
    ) throws(PostgresError) -> OrganizationID? {
        try connection.execute(OrganizationStatements.find(name)).rows.first.map {
            row throws(PostgresError) in OrganizationID(rawValue: try row.int8(0))
        }
    }

    /// 63 bits of the name's SHA-256, never zero.
    static func derivedID(of name: String) -> OrganizationID {
        let bits = SHA256.hash(Array(name.utf8)).prefix(8).reduce(UInt64(0)) {
            $0 << 8 | UInt64($1)
        }
        return OrganizationID(rawValue: max(1, Int64(bits >> 1)))
    }
}

/// The statements about organizations.
private enum OrganizationStatements {
    /// The shard that holds all names.
    private static let names = PostgresValue.int2(0)

    // Reserves a name over all shards; the primary key lets one of two that try win. Alone in its
    // transaction, because the organization itself lives in another shard. Repeating it changes
    // nothing.
    private static let reserve = PostgresStatement(
        name: nil,
        sql: """
            INSERT INTO organization_name (shard, name, organization_id) VALUES ($1, $2, $3)
            ON CONFLICT (shard, name) DO NOTHING
            """)

    // The id behind a name. Primary key.
    private static let find = PostgresStatement(
        name: nil,
        sql: "SELECT organization_id FROM organization_name WHERE shard = $1 AND name = $2",
        isReadOnly: true)

    // All names, from the one shard that holds them. Primary key, in order of name.
    private static let listNames = PostgresStatement(
        name: nil,
        sql: """
            SELECT organization_id FROM organization_name WHERE shard = $1
            ORDER BY name COLLATE "C"
            """, isReadOnly: true)

    // Creates the organization in its own shard. Gives no row when it is there: then it exists.
    // After the revision's row. Primary key.
    private static let insert = PostgresStatement(
        name: nil,
        sql: """
            INSERT INTO organization (shard, organization_id, name) VALUES ($1, $2, $3)
            ON CONFLICT (shard, organization_id) DO NOTHING
            RETURNING created_at
            """)

    // An organization's name as its own shard has it: proof that it was created and not only its
    // name. Primary key.
    private static let read = PostgresStatement(
        name: nil,
        sql: """
            SELECT name, created_at FROM organization WHERE shard = $1 AND organization_id = $2
            """, isReadOnly: true)

    static func reserve(_ name: String, _ id: OrganizationID) -> PostgresCommand {
        PostgresCommand(reserve, [names, .text(name), .int8(id.rawValue)])
    }

    static func find(_ name: String) -> PostgresCommand {
        PostgresCommand(find, [names, .text(name)])
    }

    static var list: PostgresCommand { PostgresCommand(listNames, [names]) }

    static func insert(_ name: String, _ id: OrganizationID) -> PostgresCommand {
        PostgresCommand(insert, [.int2(id.shard.rawValue), .int8(id.rawValue), .text(name)])
    }

    static func read(_ id: OrganizationID) -> PostgresCommand {
        PostgresCommand(read, [.int2(id.shard.rawValue), .int8(id.rawValue)])
    }
}
