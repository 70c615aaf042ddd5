import Domain
public import Postgres

/// Who may call, and how much, as stored in the ledger: organizations, teams, keys, quotas and rate
/// limits.
///
/// For administration: every call waits for the database. Each change raises the revision of its
/// shard in the same transaction, so that running gateways learn of it within two seconds. Not for
/// use from several threads.
public struct DirectoryStore {
    /// The connection that all calls use; reports may share it.
    public let connection: PostgresConnection
    let random: LedgerRandom

    /// Makes a store on an open connection. `random` gives ids and the secrets of keys.
    public init(_ connection: PostgresConnection, random: LedgerRandom) {
        self.connection = connection
        self.random = random
    }

    /// Opens a connection to `url` and makes a store on it. Statements and waits for locks are
    /// bounded.
    public init(url: String, random: LedgerRandom) throws(LedgerError) {
        var options = PostgresConnectionOptions()
        options.applicationName = "turnpike admin"
        options.statementTimeout = .seconds(30)
        options.lockTimeout = .seconds(10)
        do throws(PostgresError) {
            self.init(try PostgresConnection(url: url, options: options), random: random)
        } catch {
            throw LedgerError(error)
        }
    }

    /// The tenants.
    public var organizations: OrganizationStore {
        OrganizationStore(connection: connection, random: random)
    }
    /// The groups of keys.
    public var teams: TeamStore { TeamStore(connection: connection, random: random) }
    /// The keys of the admin HTTP API.
    public var adminKeys: AdminKeyStore {
        AdminKeyStore(connection: connection, random: random)
    }
    /// The credentials.
    public var keys: KeyStore { KeyStore(connection: connection, random: random) }
    /// The hard allowances.
    public var quotas: QuotaStore { QuotaStore(connection: connection) }
    /// The allowances per flow.
    public var rateLimits: RateLimitStore { RateLimitStore(connection: connection) }
}

/// What every part of the directory does the same way.
enum DirectoryTransaction {
    // Raises the shard's revision and keeps its row locked until the commit. First in every
    // transaction, so that changes of one shard take turns and no two can wait for each other.
    // Primary key.
    private static let raise = PostgresStatement(
        name: nil,
        sql: """
            INSERT INTO directory_revision (shard, revision) VALUES ($1, 1)
            ON CONFLICT (shard) DO UPDATE SET revision = directory_revision.revision + 1
            """)

    /// Runs one transaction of changes in `shard`. `body` sees no other change of the shard beside
    /// it.
    static func change<Value>(
        _ shard: Shard, on connection: PostgresConnection,
        _ body: (PostgresConnection) throws(PostgresError) -> Value
    ) throws(LedgerError) -> Value {
        do throws(PostgresError) {
            return try Conflicts.repeating { () throws(PostgresError) in
                try connection.transaction { connection throws(PostgresError) in
                    _ = try connection.execute(PostgresCommand(raise, [.int2(shard.rawValue)]))
                    return try body(connection)
                }
            }
        } catch {
            throw LedgerError(error)
        }
    }

    /// Runs a statement that needs no transaction, or statements that only read.
    static func run<Value>(
        on connection: PostgresConnection,
        _ body: (PostgresConnection) throws(PostgresError) -> Value
    ) throws(LedgerError) -> Value {
        do throws(PostgresError) {
            return try Conflicts.repeating { () throws(PostgresError) in try body(connection) }
        } catch {
            throw LedgerError(error)
        }
    }
}

/// The names that people give to organizations, teams and keys.
enum DirectoryName {
    private static let most = 64

    /// Whether text disturbs no terminal and no column.
    static func isVisible(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse:
                false
            default: true
            }
        }
    }

    /// Throws `invalid` unless `name` is 1 to 64 bytes of visible text without spaces at its ends.
    static func check(_ name: String, of what: String) throws(LedgerError) {
        guard (1...most).contains(name.utf8.count), isVisible(name),
            name.first?.isWhitespace == false,
            name.last?.isWhitespace == false
        else {
            throw .invalid(
                "the name of \(what) is 1 to \(most) bytes of visible text, "
                    + "without spaces at its ends"
            )
        }
    }
}
