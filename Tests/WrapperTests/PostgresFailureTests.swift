import Glibc
import Logging
import Testing

@testable import Postgres

/// A server of its own for what would disturb others: commits that wait for a standby that never
/// comes.
private enum Replicated {
    /// Sessions that ask for `synchronous_commit = on` wait at every commit.
    static let server = Result {
        try ScratchPostgres(settings: [
            "synchronous_standby_names = 'nobody'", "synchronous_commit = local",
        ])
    }

    /// A table in the server's maintenance database, and connections to look at it and to wait for.
    static func prepare(
        _ table: String, on other: ScratchPostgres? = nil
    ) throws -> (watcher: PostgresConnection, pool: PostgresPool) {
        let server = try other ?? server.get()
        let watcher = try server.connect()
        try watcher.execute(script: "CREATE TABLE \(table) (n int)")
        var options = PostgresConnectionOptions()
        options.applicationName = table
        options.settings = [("synchronous_commit", "on")]
        var poolOptions = PostgresPoolOptions()
        poolOptions.connections = 1
        let pool = try PostgresPool(
            url: server.url, connectionOptions: options, options: poolOptions,
            logger: Logger(label: "test"))
        return (watcher, pool)
    }
}

extension PostgresConnection {
    /// Waits until a session of that application waits for `event`, and returns its process.
    fileprivate func waitForSession(of application: String, in event: String) async throws -> Int32
    {
        let found = """
            SELECT EXISTS (SELECT FROM pg_stat_activity
            WHERE application_name = $1 AND wait_event = $2 AND state = 'active')
            """
        try await wait(until: found, .text(application), .text(event))
        return try execute(
            sql(
                "SELECT pid FROM pg_stat_activity WHERE application_name = $1",
                .text(application))
        ).rows[0].int4(0)
    }

    fileprivate func count(_ table: String) throws -> Int64 {
        try execute(PostgresCommand(.init(name: nil, sql: "SELECT count(*) FROM \(table)"), []))
            .rows[0].int8(0)
    }
}

@Suite struct PostgresLostConnections {
    /// Inserts, waits in the server for half a minute, and commits.
    private static func slowBatch(_ table: String) -> [PostgresCommand] {
        [
            sql("BEGIN"),
            PostgresCommand(.init(name: nil, sql: "INSERT INTO \(table) VALUES (1)"), []),
            sql("SELECT pg_sleep(30)"), sql("COMMIT"),
        ]
    }

    @Test func `a session ended before its commit is a connection error, safe to retry`()
        async throws
    {
        let (watcher, pool) = try Replicated.prepare("killed_before")
        let outcome = Task {
            try await pool.run { connection throws(PostgresError) in
                do throws(PostgresError) {
                    _ = try connection.pipeline(Self.slowBatch("killed_before"))
                    return (nil as PostgresError?, connection.isBroken)
                } catch {
                    return (error, connection.isBroken)
                }
            }
        }
        try await watcher.terminate(watcher.waitForSession(of: "killed_before", in: "PgSleep"))
        let (error, isBroken) = try await outcome.value
        #expect(error?.isConnection == true)
        #expect(error?.sqlState == "57P01")
        #expect(error?.commandIndex == 2)
        #expect(error?.isRetryable == true)
        #expect(isBroken)
        #expect(try watcher.count("killed_before") == 0)
        await pool.shutdown()
    }

    @Test func `a session ended during its commit has an unknown outcome`() async throws {
        let (watcher, pool) = try Replicated.prepare("killed_during")
        let outcome = Task {
            try await pool.run { connection throws(PostgresError) in
                try connection.pipeline([
                    sql("BEGIN"), sql("INSERT INTO killed_during VALUES (1)"), sql("COMMIT"),
                ]).count
            }
        }
        try await watcher.terminate(watcher.waitForSession(of: "killed_during", in: "SyncRep"))
        let error = await #expect(throws: PostgresError.self) { try await outcome.value }
        #expect(error?.isAmbiguous == true)
        #expect(error?.isRetryable == false)
        // It had happened, which the connection could not know.
        #expect(try watcher.count("killed_during") == 1)
        await pool.shutdown()
    }

    @Test func `a statement outside a transaction is ambiguous too when its commit is cut off`()
        async throws
    {
        let (watcher, pool) = try Replicated.prepare("killed_implicit")
        let outcome = Task {
            try await pool.run { connection throws(PostgresError) in
                try connection.execute(sql("INSERT INTO killed_implicit VALUES (1)")).affectedRows
            }
        }
        try await watcher.terminate(watcher.waitForSession(of: "killed_implicit", in: "SyncRep"))
        let error = await #expect(throws: PostgresError.self) { try await outcome.value }
        #expect(error?.isAmbiguous == true)
        #expect(try watcher.count("killed_implicit") == 1)
        await pool.shutdown()
    }

    @Test func `a commit whose wait for the standby was cancelled has an unknown outcome`()
        async throws
    {
        let (watcher, pool) = try Replicated.prepare("cancelled_wait")
        let outcome = Task {
            try await pool.run { connection throws(PostgresError) in
                try connection.pipeline([
                    sql("BEGIN"), sql("INSERT INTO cancelled_wait VALUES (1)"), sql("COMMIT"),
                ])
            }
        }
        let process = try await watcher.waitForSession(of: "cancelled_wait", in: "SyncRep")
        _ = try watcher.execute(sql("SELECT pg_cancel_backend($1)", .int4(process)))
        let error = await #expect(throws: PostgresError.self) { try await outcome.value }
        #expect(error?.isAmbiguous == true)
        #expect(error?.isRetryable == false)
        #expect(try watcher.count("cancelled_wait") == 1)
        // The session is none the worse for it.
        let after = try await pool.run { connection throws(PostgresError) in
            connection.backendProcessID
        }
        #expect(after == process)
        await pool.shutdown()
    }

    @Test(arguments: [true, false])
    func `a cancelled wait is never lost in a transaction call or an implicit commit`(
        _ isExplicit: Bool
    ) async throws {
        let name = isExplicit ? "cancelled_call" : "cancelled_implicit"
        let insert = PostgresCommand(.init(name: nil, sql: "INSERT INTO \(name) VALUES (1)"), [])
        let (watcher, pool) = try Replicated.prepare(name)
        let outcome = Task {
            try await pool.run { connection throws(PostgresError) -> Bool in
                do throws(PostgresError) {
                    if !isExplicit {
                        _ = try connection.execute(insert)
                        return false
                    }
                    try connection.transaction { connection throws(PostgresError) in
                        _ = try connection.execute(insert)
                    }
                    return false
                } catch {
                    return error.isAmbiguous
                }
            }
        }
        let process = try await watcher.waitForSession(of: name, in: "SyncRep")
        _ = try watcher.execute(sql("SELECT pg_cancel_backend($1)", .int4(process)))
        #expect(try await outcome.value)
        await pool.shutdown()
    }

    @Test func `a deadline during a commit closes the connection and cancels nothing`() async throws
    {
        let server = try Replicated.server.get()
        let watcher = try server.connect()
        try watcher.execute(script: "CREATE TABLE deadline_commit (n int)")
        let connection = try server.connect {
            $0.applicationName = "deadline_commit"
            $0.settings = [("synchronous_commit", "on")]
        }
        let error = postgresError {
            try connection.pipeline(
                [sql("BEGIN"), sql("INSERT INTO deadline_commit VALUES (1)"), sql("COMMIT")],
                within: .milliseconds(300))
        }
        #expect(error?.isAmbiguous == true)
        #expect(connection.isBroken)
        // The server still waits for its standby, as if nobody had left; then the commit is made.
        let process = try await watcher.waitForSession(of: "deadline_commit", in: "SyncRep")
        try watcher.terminate(process)
        try await watcher.waitForEnd(of: process)
        #expect(try watcher.count("deadline_commit") == 1)
    }

    @Test func `a deadline where nothing commits is a timeout and closes the connection`() throws {
        let connection = try ScratchPostgres.connect()
        let error = postgresError {
            try connection.pipeline(
                [sql("BEGIN"), sql("SELECT pg_sleep(30)")], within: .milliseconds(50))
        }
        #expect(error?.isTimeout == true)
        #expect(error?.isRetryable == true)
        #expect(connection.isBroken)
        #expect(postgresError { try connection.execute(sql("SELECT 1")) }?.isConnection == true)
        #expect(postgresError { try connection.execute(script: "SELECT 1") }?.isConnection == true)
    }

    @Test func `the loss of a read is a timeout or connection error and never ambiguous`() throws {
        let connection = try ScratchPostgres.connect()
        let sleep = PostgresStatement(name: nil, sql: "SELECT pg_sleep(30)", isReadOnly: true)
        let error = postgresError {
            try connection.execute(PostgresCommand(sleep, []), within: .milliseconds(50))
        }
        #expect(error?.isTimeout == true)
    }

    @Test func `an idle session ended by the server is noticed without asking`() async throws {
        let (connection, watcher) = (try ScratchPostgres.connect(), try ScratchPostgres.connect())
        defer { watcher.close() }
        #expect(connection.checkIsOpen())
        let process = connection.backendProcessID
        try watcher.terminate(process)
        try await watcher.waitForEnd(of: process)
        #expect(!connection.checkIsOpen())
        #expect(connection.isBroken)
    }

    @Test func `a command on a session the server has ended is a connection error`() async throws {
        let (connection, watcher) = (try ScratchPostgres.connect(), try ScratchPostgres.connect())
        defer { watcher.close() }
        let process = connection.backendProcessID
        try watcher.terminate(process)
        try await watcher.waitForEnd(of: process)
        let read = PostgresStatement(name: nil, sql: "SELECT 1", isReadOnly: true)
        let error = postgresError { try connection.execute(PostgresCommand(read, [])) }
        #expect(error?.isConnection == true)
        #expect(connection.isBroken)
    }

    @Test func `a server process that dies without a word leaves the outcome unknown`() async throws
    {
        // A server of its own: Postgres restarts every session when one dies like this.
        let server = try ScratchPostgres(settings: [])
        defer { server.stop() }
        let (watcher, pool) = try Replicated.prepare("killed_hard", on: server)
        let outcome = Task {
            try await pool.run { connection throws(PostgresError) in
                try connection.pipeline(Self.slowBatch("killed_hard")).count
            }
        }
        kill(try await watcher.waitForSession(of: "killed_hard", in: "PgSleep"), SIGKILL)
        let error = await #expect(throws: PostgresError.self) { try await outcome.value }
        #expect(error?.isAmbiguous == true)
        await pool.shutdown()
    }
}
