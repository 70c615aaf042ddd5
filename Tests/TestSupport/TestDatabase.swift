import Foundation
import Ledger
import Postgres
import Synchronization

/// A fresh, migrated database of a real Postgres, dropped when the last reference goes.
///
/// The server is the one that `TURNPIKE_TEST_POSTGRES` names (a libpq URL whose user may create
/// databases), or a private one that lives as long as the test process.
public final class TestDatabase: Sendable {
    /// The database, as a libpq URL.
    public let url: String
    private let name: String?

    /// Makes a database that is a copy of a migrated template: a few milliseconds.
    public static func make() throws -> TestDatabase { try TestDatabase(template: template.get()) }

    /// Makes a database without anything in it, for tests of the migrator.
    public static func makeEmpty() throws -> TestDatabase {
        try TestDatabase(template: "template0")
    }

    /// The maintenance database of a server of the test's own, migrated; it goes with the server.
    public init(of server: TestServer.Own) throws {
        name = nil
        url = server.url
        let connection = try connection()
        defer { connection.close() }
        _ = try Migrator().migrate(connection)
    }

    private init(template: String) throws {
        let name = "turnpike_test_\(getpid())_\(UInt64.random(in: 0 ... .max))"
        try Self.administer { connection in
            try connection.execute(script: "CREATE DATABASE \(name) TEMPLATE \(template)")
        }
        self.name = name
        url = try DatabaseURL(TestServer.shared.get()).naming(name)
    }

    deinit {
        guard let name else { return }
        // A database that cannot be dropped is left to whoever owns the server; the test has ended.
        try? Self.administer { connection in
            try connection.execute(script: "DROP DATABASE IF EXISTS \(name) WITH (FORCE)")
        }
    }

    private func nameHere() throws -> String {
        guard let name else { throw TestServer.Failure("the database is its server's own") }
        return name
    }

    /// An outage: every session ends, and none can be opened until ``bringBack()``. Those of an
    /// ``observer`` go on.
    public func takeAway() throws {
        let name = try nameHere()
        try Self.administer { connection in
            try connection.execute(script: "ALTER DATABASE \(name) ALLOW_CONNECTIONS false")
            // A session that was just being opened may have passed the gate.
            try connection.execute(
                script: """
                    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
                    WHERE datname = '\(name)' AND application_name <> '\(Self.observer)'
                    """)
        }
    }

    /// A copy of the database as it is now, for a story in which some of its nodes never come back.
    /// Every session of the original ends, the test's too, and none can be opened meanwhile; nor
    /// afterwards, with `staysAway`.
    public func copy(staysAway: Bool = false) throws -> TestDatabase {
        let name = try nameHere()
        try Self.administer { connection in
            try connection.execute(script: "ALTER DATABASE \(name) ALLOW_CONNECTIONS false")
            try connection.execute(
                script: """
                    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
                    WHERE datname = '\(name)'
                    """)
        }
        defer { if !staysAway { try? bringBack() } }
        return try TestDatabase(template: name)
    }

    /// A failover: this database is from now on what `other` is, under its own name. Every session
    /// of both ends.
    public func become(_ other: TestDatabase) throws {
        let (name, from) = (try nameHere(), try other.nameHere())
        try Self.administer { connection in
            for script in [
                "ALTER DATABASE \(name) ALLOW_CONNECTIONS false",
                """
                SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
                WHERE datname IN ('\(name)', '\(from)')
                """,
                "DROP DATABASE \(name) WITH (FORCE)", "ALTER DATABASE \(from) RENAME TO \(name)",
            ] {
                try connection.execute(script: script)
            }
        }
    }

    /// The end of the outage.
    public func bringBack() throws {
        let name = try nameHere()
        try Self.administer { connection in
            try connection.execute(script: "ALTER DATABASE \(name) ALLOW_CONNECTIONS true")
        }
    }

    /// The database past any pooler, as a libpq URL.
    public func directURL() throws -> String {
        guard let name else { return url }
        return try DatabaseURL(TestServer.direct.get()).naming(name)
    }

    /// The application name of sessions that ``takeAway()`` spares.
    public static let observer = "observer"

    /// Opens a connection to the database.
    public func connection() throws -> PostgresConnection {
        try PostgresConnection(url: url, options: Self.options)
    }

    /// How tests connect to their databases.
    public static var options: PostgresConnectionOptions {
        var options = PostgresConnectionOptions()
        options.usePreparedStatements = ownsSessions
        return options
    }

    /// What tests know of their sessions: nothing, unless `TURNPIKE_TEST_SESSIONS` is `own`, as
    /// behind a pooler that gives every client a session.
    public static var ownsSessions: Bool? {
        ProcessInfo.processInfo.environment["TURNPIKE_TEST_SESSIONS"] == "own" ? true : nil
    }

    /// The name of this process' template. One per schema and day, because the schema holds
    /// partitions by day.
    private static let template = Result { try makeTemplate() }

    private static func administer<Value>(
        _ body: (PostgresConnection) throws -> Value
    ) throws -> Value {
        var options = PostgresConnectionOptions()
        options.callTimeout = .seconds(120)
        let connection = try PostgresConnection(url: TestServer.direct.get(), options: options)
        defer { connection.close() }
        return try body(connection)
    }

    /// Makes the template unless another process did. The lock is the session's: it ends with it,
    /// however it ends.
    private static func makeTemplate() throws -> String {
        try administer { connection in
            _ = try connection.execute(
                PostgresCommand(
                    PostgresStatement(
                        name: nil, sql: "SELECT 1 FROM pg_advisory_lock(7306357456645287540)"), []))
            let day = try connection.execute(
                PostgresCommand(
                    PostgresStatement(
                        name: nil, sql: "SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')"), [])
            ).rows[0].text(0)
            let name = "turnpike_template_\(Migrator().fingerprint)_\(day)"
            let found = try connection.execute(
                PostgresCommand(
                    PostgresStatement(
                        name: nil, sql: "SELECT 1 FROM pg_database WHERE datname = $1"),
                    [.text(name)]))
            if !found.rows.isEmpty { return name }
            // Under another name until it is whole, so that a process killed here leaves no half a
            // template.
            let unfinished = "\(name)_unfinished"
            try connection.execute(script: "DROP DATABASE IF EXISTS \(unfinished) WITH (FORCE)")
            try connection.execute(script: "CREATE DATABASE \(unfinished) TEMPLATE template0")
            let inside = try PostgresConnection(
                url: DatabaseURL(TestServer.direct.get()).naming(unfinished),
                options: PostgresConnectionOptions())
            _ = try Migrator().migrate(inside)
            inside.close()
            // The server ends a session a moment after the client has left it.
            try connection.execute(
                script: """
                    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
                    WHERE datname = '\(unfinished)'
                    """)
            try connection.execute(script: "ALTER DATABASE \(unfinished) RENAME TO \(name)")
            return name
        }
    }
}

/// A libpq URL whose database can be exchanged.
struct DatabaseURL {
    private let beforeName: Substring
    private let afterName: Substring

    /// Takes a URL such as `postgres://user@host/name?key=value`; throws for another form.
    init(_ url: String) throws {
        guard let scheme = url.range(of: "://") else { throw TestServer.Failure("no URL: \(url)") }
        let end = url[scheme.upperBound...].firstIndex(of: "?") ?? url.endIndex
        let slash = url[scheme.upperBound..<end].firstIndex(of: "/") ?? end
        beforeName = url[..<slash]
        afterName = url[end...]
    }

    /// The URL of another database of the same server.
    func naming(_ name: String) -> String { "\(beforeName)/\(name)\(afterName)" }
}
