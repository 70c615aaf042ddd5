import Testing

@testable import Postgres

@Suite struct PostgresConnections {
    @Test func `the session has the settings asked for and says what it is`() throws {
        let connection = try ScratchPostgres.connect {
            $0.applicationName = "it's \"mine\""
            $0.statementTimeout = .milliseconds(1500)
            $0.lockTimeout = .seconds(2)
            $0.idleInTransactionTimeout = .seconds(60)
            $0.settings = [("jit", "off"), ("plan_cache_mode", "force_generic_plan")]
        }
        defer { connection.close() }
        func setting(_ name: String) throws -> String {
            try connection.execute(sql("SELECT current_setting($1)", .text(name))).rows[0].text(0)
        }
        #expect(try setting("application_name") == "it's \"mine\"")
        #expect(try setting("statement_timeout") == "1500ms")
        #expect(try setting("lock_timeout") == "2s")
        #expect(try setting("idle_in_transaction_session_timeout") == "1min")
        #expect(try setting("jit") == "off")
        #expect(try setting("plan_cache_mode") == "force_generic_plan")
        #expect(try setting("client_encoding") == "UTF8")
        #expect(connection.serverVersion >= 130_000)
        #expect(connection.parameterStatus("server_version")?.isEmpty == false)
        #expect(connection.backendProcessID > 0)
    }

    @Test func `a server is asked to find out about a client that is gone`() throws {
        let connection = try ScratchPostgres.connect {
            $0.keepalives = (idle: 7, interval: 3, count: 2)
            $0.usePreparedStatements = true
        }
        defer { connection.close() }
        // Their values read as zero through a Unix socket: only that they were set can be seen.
        let rows = try connection.execute(
            sql("SELECT name FROM pg_settings WHERE source = 'session' AND name LIKE 'tcp%'")
        ).rows
        #expect(
            try Set(rows.map { try $0.text(0) }) == [
                "tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count",
                "tcp_user_timeout",
            ])
    }

    @Test func `what the URL says itself wins, but for the encoding`() throws {
        let options =
            "&application_name=from-url&client_encoding=LATIN1"
            + "&options=-c%20statement_timeout%3D7s%20--lock-timeout%3D8s"
        let base = try ScratchPostgres.shared.get().url(database: "postgres")
        var defaults = PostgresConnectionOptions()
        defaults.statementTimeout = .seconds(1)
        defaults.lockTimeout = .seconds(1)
        defaults.settings = [("jit", "off")]
        let connection = try PostgresConnection(url: base + options, options: defaults)
        defer { connection.close() }
        let row = try connection.execute(
            sql(
                """
                SELECT current_setting('application_name'), current_setting('statement_timeout'),
                current_setting('lock_timeout'), current_setting('client_encoding'),
                current_setting('jit')
                """)
        ).rows[0]
        let values = try (0..<5).map { try row.text($0) }
        #expect(values == ["from-url", "7s", "8s", "UTF8", "off"])
    }

    @Test func `of several hosts the one that takes writes is chosen, past dead and reading ones`()
        throws
    {
        let reading = try ScratchPostgres(settings: ["default_transaction_read_only=on"])
        defer { reading.stop() }
        let writing = try ScratchPostgres(settings: [])
        defer { writing.stop() }
        func folder(_ server: ScratchPostgres) throws -> Substring {
            try #require(server.url.split(separator: "host=").last?.prefix { $0 != "&" })
        }
        let hosts = "/nowhere,\(try folder(reading)),\(try folder(writing))"
        let connection = try PostgresConnection(
            url: "postgres:///postgres?user=postgres&target_session_attrs=read-write&host=\(hosts)",
            options: PostgresConnectionOptions())
        defer { connection.close() }
        let row = try connection.execute(
            sql("SELECT current_setting('unix_socket_directories')")
        ).rows[0]
        #expect(try row.text(0) == folder(writing))
    }

    @Test func `a setting the server does not know fails the connection with its name`() {
        let error = postgresError {
            try ScratchPostgres.connect { $0.settings = [("no_such_setting", "1")] }
        }
        #expect(error?.sqlState == "42704")
        #expect(error?.debugDescription.contains("no_such_setting") == true)
    }

    @Test(arguments: [
        "postgres://user:top-secret@host:port-secret/db", "postgres://u:se@cret@h/db", "",
        "postgres://u:1/secret@h/db", "postgres://u:pass@h:secret", "postgres://h:0,g:secret/db",
        "just a name", "postgres://h/db?no_such_option=top-secret", "postgres://h/\0",
    ])
    func `a URL that cannot be parsed is refused without repeating any of it`(_ url: String) {
        let error = postgresError {
            try PostgresConnection(url: url, options: PostgresConnectionOptions())
        }
        #expect(error?.isInvalid == true)
        #expect(error?.debugDescription.contains("secret") == false)
    }

    @Test func `a server that is not there is a connection error that hides the password`() {
        let error = postgresError {
            try PostgresConnection(
                url: "postgres://nobody:top-secret@127.0.0.1:1/db",
                options: PostgresConnectionOptions())
        }
        #expect(error?.isConnection == true)
        #expect(error?.isRetryable == true)
        #expect(error?.debugDescription.contains("127.0.0.1") == true)
        #expect(error?.debugDescription.contains("top-secret") == false)
        #expect(error?.description == "the database connection failed")
    }

    @Test func `a password that libpq should ever quote is blotted out`() throws {
        let url = try PostgresURL("postgres://u:top-secret@h/db")
        #expect(url.redacting("FATAL: top-secret! top-secret") == "FATAL: ***! ***")
        #expect(try PostgresURL("postgres://h/db").redacting("as it was") == "as it was")
    }

    @Test func `the server's statement timeout is an error that leaves the connection usable`()
        throws
    {
        let connection = try ScratchPostgres.connect { $0.statementTimeout = .milliseconds(20) }
        defer { connection.close() }
        let error = postgresError {
            try connection.pipeline([sql("BEGIN"), sql("SELECT pg_sleep(30)"), sql("COMMIT")])
        }
        #expect(error?.sqlState == "57014")
        #expect(error?.commandIndex == 1)
        #expect(!connection.isBroken && !connection.isInTransaction)
    }

    @Test func `the description of an error quotes no value and the detail does`() throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        let error = try #require(
            postgresError { try connection.execute(sql("SELECT $1::text::int4", .text("canary"))) })
        #expect(error.sqlState == "22P02")
        #expect(!error.description.contains("canary"))
        #expect(error.debugDescription.contains("canary"))
        #expect(error.commandIndex == nil)
    }

    @Test func `closing twice is once, and a closed connection answers nothing`() throws {
        let connection = try ScratchPostgres.connect()
        connection.close()
        connection.close()
        #expect(connection.isBroken)
        #expect(!connection.checkIsOpen() && !connection.isInTransaction)
        #expect(connection.serverVersion == 0 && connection.backendProcessID == 0)
        #expect(connection.parameterStatus("server_version") == nil)
        #expect(postgresError { try connection.execute(sql("SELECT 1")) }?.isConnection == true)
        let nested = postgresError {
            try connection.transaction { connection throws(PostgresError) in }
        }
        #expect(nested?.isConnection == true)
    }

    @Test func `the notice handler hears everything`() throws {
        let heard = Heard()
        let connection = try ScratchPostgres.connect { options in
            options.noticeHandler = { heard.add($0) }
            options.settings = [("client_min_messages", "notice")]
        }
        defer { connection.close() }
        try connection.execute(
            script: "DO $$ BEGIN FOR i IN 1..200 LOOP RAISE WARNING 'w%', i; END LOOP; END $$")
        #expect(heard.notices.count == 200)
        #expect(heard.notices.first?.severity == "WARNING" && heard.notices.last?.message == "w200")
        let result = try connection.execute(
            sql("DO $$ BEGIN FOR i IN 1..200 LOOP RAISE WARNING 'w%', i; END LOOP; END $$"))
        #expect(result.notices.count == PostgresResult.mostNotices)
    }
}

@Suite struct PostgresScripts {
    @Test func `a script runs whole, and the connection goes on in the binary protocol`() throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        try connection.execute(
            script: """
                CREATE TEMPORARY TABLE t (n int); INSERT INTO t VALUES (1), (2);
                SELECT * FROM t;
                """)
        try connection.execute(script: "")
        try connection.execute(script: "-- nothing")
        #expect(try connection.execute(sql("SELECT sum(n)::int8 FROM t")).rows[0].int8(0) == 3)
    }

    @Test(arguments: [true, false])
    func `a script that fails leaves nothing and no open transaction`(_ hasBegin: Bool) throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        let error = postgresError {
            try connection.execute(
                script: (hasBegin ? "BEGIN;" : "") + "CREATE TEMPORARY TABLE t (n int);"
                    + "SELECT 1 / 0; CREATE TEMPORARY TABLE u (n int);" + (hasBegin ? "COMMIT" : "")
            )
        }
        #expect(error?.sqlState == "22012")
        #expect(error?.commandIndex == (hasBegin ? 2 : 1))
        #expect(!connection.isBroken && !connection.isInTransaction)
        let gone = postgresError { try connection.execute(sql("SELECT n FROM t")) }
        #expect(gone?.sqlState == "42P01")
    }

    @Test func `a script that outlasts its deadline is ambiguous and closes`() throws {
        let connection = try ScratchPostgres.connect()
        let error = postgresError {
            try connection.execute(script: "SELECT pg_sleep(30)", within: .milliseconds(50))
        }
        #expect(error?.isAmbiguous == true)
        #expect(connection.isBroken)
    }

    @Test func `a large script is sent whole`() throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        let padding = String(repeating: "-- padding\n", count: 300_000)
        try connection.execute(script: padding + "CREATE TEMPORARY TABLE t (n int)")
        #expect(try connection.execute(sql("SELECT count(*) FROM t")).rows[0].int8(0) == 0)
    }

    @Test func `copy in a script is refused by closing the connection`() throws {
        let connection = try ScratchPostgres.connect()
        #expect(throws: PostgresError.self) {
            try connection.execute(script: "COPY pg_type TO STDOUT")
        }
        #expect(connection.isBroken)
    }
}
