import Testing

@testable import Postgres

@Suite struct PostgresPipelines {
    @Test
    func `a division by zero in the middle undoes the whole batch and is reported by position`()
        throws
    {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        try connection.execute(script: "CREATE TEMPORARY TABLE t (n int PRIMARY KEY)")
        let error = try #require(
            postgresError {
                try connection.pipeline([
                    sql("BEGIN"), sql("INSERT INTO t VALUES ($1)", .int4(1)),
                    sql("SELECT 1 / $1::int4", .int4(0)), sql("INSERT INTO t VALUES (2)"),
                    sql("COMMIT"),
                ])
            })
        #expect(error.sqlState == "22012")
        #expect(error.commandIndex == 2)
        #expect(!error.isRetryable && !error.isAmbiguous)
        #expect(!connection.isBroken && !connection.isInTransaction)
        #expect(try connection.execute(sql("SELECT count(*) FROM t")).rows[0].int8(0) == 0)
    }

    @Test func `commands outside a transaction succeed or fail together`() throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        try connection.execute(script: "CREATE TEMPORARY TABLE t (n int PRIMARY KEY)")
        let error = postgresError {
            try connection.pipeline([
                sql("INSERT INTO t VALUES (1)"), sql("INSERT INTO t VALUES (1)"),
            ])
        }
        #expect(error?.sqlState == "23505")
        #expect(error?.commandIndex == 1)
        #expect(error?.fault?.constraint == "t_pkey")
        #expect(try connection.execute(sql("SELECT count(*) FROM t")).rows[0].int8(0) == 0)
    }

    @Test func `an error in the text of a statement is reported like any other`() throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        for name in [nil, "named"] {
            let error = postgresError {
                try connection.pipeline([
                    sql("SELECT 1"),
                    PostgresCommand(PostgresStatement(name: name, sql: "SELEKT"), []),
                    sql("SELECT 2"),
                ])
            }
            #expect(error?.sqlState == "42601")
            #expect(error?.commandIndex == 1)
            #expect(try connection.execute(sql("SELECT 3")).rows[0].int4(0) == 3)
        }
    }

    @Test(arguments: [true, false])
    func `a constraint checked at the commit fails the commit`(_ isExplicit: Bool) throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        try connection.execute(
            script: """
                CREATE TEMPORARY TABLE t (n int UNIQUE DEFERRABLE INITIALLY DEFERRED);
                INSERT INTO t VALUES (1);
                """)
        let insert = sql("INSERT INTO t VALUES (1)")
        let error = postgresError {
            try connection.pipeline(isExplicit ? [sql("BEGIN"), insert, sql("COMMIT")] : [insert])
        }
        #expect(error?.sqlState == "23505")
        #expect(error?.commandIndex == (isExplicit ? 2 : nil))
        #expect(!connection.isBroken && !connection.isInTransaction)
        #expect(try connection.execute(sql("SELECT count(*) FROM t")).rows[0].int8(0) == 1)
    }

    @Test func `what was committed before the failure stays and the position tells`() throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        try connection.execute(script: "CREATE TEMPORARY TABLE t (n int)")
        let error = postgresError {
            try connection.pipeline([
                sql("BEGIN"), sql("INSERT INTO t VALUES (1)"), sql("COMMIT"), sql("SELECT 1 / 0"),
            ])
        }
        #expect(error?.commandIndex == 3)
        #expect(try connection.execute(sql("SELECT count(*) FROM t")).rows[0].int8(0) == 1)
    }

    @Test func `ten megabytes each way do not deadlock`() throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        let blobs = (0..<200).map { [UInt8](repeating: UInt8($0), count: 50_000) }
        let results = try connection.pipeline(
            blobs.map { sql("SELECT $1::bytea || $1::bytea", .bytes($0)) })
        #expect(results.count == 200)
        for (blob, result) in zip(blobs, results) {
            #expect(try result.rows[0].bytes(0) == blob + blob)
        }
    }

    @Test func `a batch of five hundred rows in arrays is one round trip`() throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        try connection.execute(
            script: "CREATE TEMPORARY TABLE t (id uuid PRIMARY KEY, n int8, at timestamptz)")
        let numbers = Array(0..<Int64(512))
        let results = try connection.pipeline([
            sql("BEGIN"),
            sql(
                """
                INSERT INTO t SELECT * FROM unnest($1::uuid[], $2::int8[], $3::timestamptz[])
                RETURNING n
                """,
                .uuids(numbers.map { UInt128($0) << 64 | 7 }), .int8s(numbers),
                .timestamps(numbers.map { $0 * 1_000_000 })),
            sql("COMMIT"),
        ])
        #expect(try results[1].rows.map { try $0.int8(0) } == numbers)
        let sum = try connection.execute(
            sql("SELECT sum(n)::int8, max(at), array_agg(id ORDER BY n) FROM t")
        ).rows[0]
        #expect(try sum.int8(0) == numbers.reduce(0, +))
        #expect(try sum.timestamp(1) == 511_000_000)
        #expect(try sum.uuids(2).last == 511 << 64 | 7)
    }

    @Test func `an empty pipeline asks nothing`() throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        #expect(try connection.pipeline([]).isEmpty)
    }

    @Test func `what cannot be sent is refused before anything is sent`() throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        try connection.execute(script: "CREATE TEMPORARY TABLE t (n int)")
        let insert = sql("INSERT INTO t VALUES (1)")
        let impossible: [(PostgresCommand, String)] = [
            (sql("SELECT 1\0; DROP TABLE t"), "zero"),
            (
                PostgresCommand(
                    .init(name: nil, sql: "SELECT 1"), .init(repeating: .null, count: 65_536)),
                "65535"
            ),
            (sql("SELECT $1", .bytes(.init(repeating: 0, count: (64 << 20) + 1))), "64 MiB"),
        ]
        for (command, reason) in impossible {
            let error = try #require(postgresError { try connection.pipeline([insert, command]) })
            #expect(error.isInvalid && error.commandIndex == 1)
            #expect(error.debugDescription.contains(reason))
        }
        let tooMany = [PostgresCommand](repeating: insert, count: 4097)
        #expect(postgresError { try connection.pipeline(tooMany) }?.isInvalid == true)
        #expect(postgresError { try connection.execute(script: "SELECT 1\0") }?.isInvalid == true)
        #expect(try connection.execute(sql("SELECT count(*) FROM t")).rows[0].int8(0) == 0)
    }

    @Test func `a text with a zero character is the server's to refuse and harms no more`() throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        let error = postgresError { try connection.execute(sql("SELECT $1::text", .text("a\0b"))) }
        #expect(error?.sqlState == "22021")
        #expect(try connection.execute(sql("SELECT 1")).rows[0].int4(0) == 1)
    }

    @Test func `copy is refused by closing the connection`() throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        #expect(throws: PostgresError.self) {
            try connection.execute(sql("COPY pg_type TO STDOUT"))
        }
        #expect(connection.isBroken)
    }

    @Test func `warnings and notices stay with the command that caused them`() throws {
        let connection = try ScratchPostgres.connect {
            $0.settings = [("client_min_messages", "notice")]
        }
        defer { connection.close() }
        let results = try connection.pipeline([
            sql("SELECT 1"), sql("DROP TABLE IF EXISTS no_such_table"), sql("SELECT 2"),
        ])
        #expect(results.map(\.notices.count) == [0, 1, 0])
        #expect(results[1].notices[0].severity == "NOTICE")
        #expect(results[1].warnings.isEmpty)
        let warned = try connection.execute(sql("COMMIT"))
        #expect(warned.warnings.map(\.sqlState) == ["25P01"])
    }
}
