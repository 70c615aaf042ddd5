public import Domain
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
    /// Who acts, and writes it down.
    let recorder: ActionRecorder

    var random: LedgerRandom { recorder.random }

    /// Makes a store on an open connection. `random` gives ids and the secrets of keys; `author` is
    /// who every change is recorded to be of.
    public init(_ connection: PostgresConnection, random: LedgerRandom, author: ActionAuthor) {
        self.connection = connection
        recorder = ActionRecorder(author: author, random: random)
    }

    /// The same store in the hands of somebody else.
    public func acting(as author: ActionAuthor) -> DirectoryStore {
        DirectoryStore(connection, random: random, author: author)
    }

    /// Opens a connection to `url` and makes a store on it. Statements and waits for locks are
    /// bounded.
    public init(url: String, random: LedgerRandom, author: ActionAuthor) throws(LedgerError) {
        var options = PostgresConnectionOptions()
        options.applicationName = "turnpike admin"
        options.connectTimeout = PostgresConnectionOptions.patience
        options.statementTimeout = .seconds(30)
        options.lockTimeout = .seconds(10)
        do throws(PostgresError) {
            self.init(
                try PostgresConnection(url: url, options: options), random: random, author: author)
        } catch {
            throw LedgerError(error)
        }
    }

    /// The tenants.
    public var organizations: OrganizationStore {
        OrganizationStore(connection: connection, recorder: recorder)
    }
    /// The groups of keys.
    public var teams: TeamStore { TeamStore(connection: connection, recorder: recorder) }
    /// The keys of the admin HTTP API.
    public var adminKeys: AdminKeyStore {
        AdminKeyStore(connection: connection, recorder: recorder)
    }
    /// The credentials.
    public var keys: KeyStore { KeyStore(connection: connection, recorder: recorder) }
    /// The hard allowances.
    public var quotas: QuotaStore { QuotaStore(connection: connection) }
    /// The allowances per flow.
    public var rateLimits: RateLimitStore { RateLimitStore(connection: connection) }
    /// What administrators are told of, and where word of it went.
    public var events: EventStore { EventStore(connection, recorder: recorder) }
}

/// What every part of the directory does the same way.
enum DirectoryTransaction {
    // Locks the shard's revision until the commit. First in every transaction, so that changes of
    // one shard take turns and no two can wait for each other. Primary key.
    private static let hold = PostgresStatement(
        name: nil,
        sql: """
            INSERT INTO directory_revision (shard, revision) VALUES ($1, 0)
            ON CONFLICT (shard) DO UPDATE SET revision = directory_revision.revision
            """)

    // Raises the revision that is held. Last, and only where something was changed. Primary key.
    private static let raise = PostgresStatement(
        name: nil,
        sql: """
            UPDATE directory_revision SET revision = revision + 1 WHERE shard = $1
            RETURNING revision
            """)

    /// Runs one transaction of changes in `shard`. `body` sees no other change of the shard beside
    /// it, and notes in its log what it did.
    ///
    /// What it noted is written in the same transaction, and the revision raised, which tells the
    /// gateways: a change that is not recorded reaches nobody. Where nothing was noted the revision
    /// stays, so that each has its record, and an audit finds one that is missing.
    static func change<Value>(
        _ shard: Shard, on connection: PostgresConnection, by recorder: ActionRecorder,
        _ body: (PostgresConnection, inout ActionLog) throws(PostgresError) -> Value
    ) throws(LedgerError) -> Value {
        do throws(PostgresError) {
            return try Conflicts.repeating { () throws(PostgresError) in
                try connection.transaction { connection throws(PostgresError) in
                    let parameter = PostgresValue.int2(shard.rawValue)
                    _ = try connection.execute(PostgresCommand(hold, [parameter]))
                    var log = ActionLog()
                    let value = try body(connection, &log)
                    if log.notes.isEmpty { return value }
                    let raised = try connection.execute(PostgresCommand(raise, [parameter]))
                    guard let revision = try raised.rows.first?.int8(0) else {
                        throw PostgresError(kind: .decoding(reason: "a shard has no revision"))
                    }
                    try recorder.write(log, in: shard, revision: revision, connection)
                    return value
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
