public import Domain
import Postgres

/// What a database says of itself before a gateway trusts it with its books.
public struct DatabaseFacts: Sendable, Hashable {
    /// The server's version as a number: 150004 is 15.4.
    public var version: Int64 = 0
    /// The role that is connected.
    public var role = ""
    /// Whether it is a standby, which takes no writes.
    public var isStandby = false
    /// Whether the server waits for its disk: `fsync`.
    public var waitsForDisk = true
    /// Whether pages that broke in a crash can be repaired: `full_page_writes`.
    public var repairsPages = true
    /// `synchronous_commit`, in the server's word.
    public var synchronousCommit = "on"
    /// `synchronous_standby_names`; empty where none is waited for.
    public var synchronousStandbys = ""
    /// Standbys that are connected; nil where the role may not see them.
    public var standbys: Int64?
    /// How many connections the server takes.
    public var connectionLimit: Int64 = 0
    /// How many of them clients have.
    public var connections: Int64 = 0
    /// The server's clock.
    public var time = Timestamp(microseconds: 0)
    /// What this program's database lacks or has too much.
    public var schema = SchemaState.current(version: 0)
    /// What the role lacks for a gateway: `INSERT on usage`. Empty unless the schema is current.
    public var missingPrivileges: [String] = []
    /// Numbers of peppers that keys were made under, with how many of those keys are not revoked.
    public var peppers: [Int16: Int64] = [:]

    /// Nothing is known.
    public init() {}

    /// Asks over a connection of its own. Throws `unreachable` where there is none.
    public static func read(url: String) throws(LedgerError) -> DatabaseFacts {
        do throws(PostgresError) {
            var options = PostgresConnectionOptions()
            options.applicationName = "turnpike doctor"
            options.connectTimeout = PostgresConnectionOptions.patience
            let connection = try PostgresConnection(url: url, options: options)
            defer { connection.close() }
            var facts = DatabaseFacts()
            try facts.readServer(connection)
            do throws(LedgerError) {
                facts.schema = try Migrator().check(connection)
            } catch {
                throw PostgresError(kind: .decoding(reason: error.debugDescription))
            }
            if case .current = facts.schema { try facts.readLedger(connection) }
            return facts
        } catch {
            throw LedgerError(error)
        }
    }

    // Settings and counts of the server itself; names no table of the ledger.
    private static let server = PostgresStatement(
        name: nil,
        sql: """
            SELECT current_setting('server_version_num')::int8, current_user::text,
                pg_is_in_recovery(), current_setting('fsync') = 'on',
                current_setting('full_page_writes') = 'on', current_setting('synchronous_commit'),
                current_setting('synchronous_standby_names'),
                current_setting('max_connections')::int8,
                (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
                (SELECT count(*) FROM pg_stat_replication), now()
            """, isReadOnly: true)

    // What a gateway writes. A privilege is asked for by the table's name; no row is read.
    private static let privileges = PostgresStatement(
        name: nil,
        sql: """
            SELECT p.privilege || ' on ' || p.relation
            FROM (VALUES ('usage', 'INSERT'), ('usage_hour', 'INSERT'), ('usage_hour', 'UPDATE'),
                ('reservation', 'INSERT'), ('reservation', 'DELETE'), ('lease', 'UPDATE'),
                ('account', 'UPDATE'), ('node_lane', 'UPDATE'), ('api_key', 'SELECT'))
                AS p(relation, privilege)
            WHERE NOT has_table_privilege(p.relation, p.privilege) ORDER BY 1
            """, isReadOnly: true)

    // Of every shard: keys are some thousands. A pass over the table.
    private static let peppers = PostgresStatement(
        name: nil,
        sql: """
            SELECT pepper_id, count(*) FROM api_key
            WHERE shard BETWEEN 0 AND 255 AND revoked_at IS NULL GROUP BY 1
            """, isReadOnly: true)

    private mutating func readServer(
        _ connection: PostgresConnection
    ) throws(PostgresError) {
        guard let row = try connection.execute(PostgresCommand(Self.server, [])).rows.first else {
            throw PostgresError(kind: .decoding(reason: "the server says nothing of itself"))
        }
        version = try row.int8(0)
        role = try row.text(1)
        isStandby = try row.bool(2)
        waitsForDisk = try row.bool(3)
        repairsPages = try row.bool(4)
        synchronousCommit = try row.text(5)
        synchronousStandbys = try row.text(6)
        connectionLimit = try row.int8(7)
        connections = try row.int8(8)
        standbys = try row.int8(9)
        time = Timestamp(microseconds: try row.timestamp(10))
    }

    private mutating func readLedger(
        _ connection: PostgresConnection
    ) throws(PostgresError) {
        missingPrivileges = try connection.execute(PostgresCommand(Self.privileges, [])).rows
            .map { row throws(PostgresError) in try row.text(0) }
        for row in try connection.execute(PostgresCommand(Self.peppers, [])).rows {
            peppers[try row.int2(0)] = try row.int8(1)
        }
    }
}
