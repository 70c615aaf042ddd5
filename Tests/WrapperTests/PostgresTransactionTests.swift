import Testing

@testable import Postgres

@Suite struct PostgresTransactions {
    private func connectionWithTable() throws -> PostgresConnection {
        let connection = try ScratchPostgres.connect()
        try connection.execute(script: "CREATE TEMPORARY TABLE t (n int PRIMARY KEY)")
        return connection
    }

    private func count(_ connection: PostgresConnection) throws -> Int64 {
        try connection.execute(sql("SELECT count(*) FROM t")).rows[0].int8(0)
    }

    @Test func `a body that returns is committed and its value handed on`() throws {
        let connection = try connectionWithTable()
        defer { connection.close() }
        let rows = try connection.transaction { connection throws(PostgresError) in
            try connection.execute(sql("INSERT INTO t VALUES (1), (2)")).affectedRows
        }
        #expect(rows == 2)
        #expect(try count(connection) == 2)
        #expect(!connection.isInTransaction)
    }

    @Test func `a body that throws is rolled back with its own error`() throws {
        let connection = try connectionWithTable()
        defer { connection.close() }
        let error = postgresError {
            try connection.transaction { connection throws(PostgresError) in
                _ = try connection.execute(sql("INSERT INTO t VALUES (1)"))
                throw PostgresError(kind: .decoding(reason: "of the body"))
            }
        }
        #expect(error?.isDecoding == true)
        #expect(try count(connection) == 0)
    }

    @Test func `a body that hides a failed command commits nothing, before or after it`() throws {
        let connection = try connectionWithTable()
        defer { connection.close() }
        var later: PostgresError?
        let error = postgresError {
            try connection.transaction { connection throws(PostgresError) in
                _ = try connection.execute(sql("INSERT INTO t VALUES (1)"))
                do throws(PostgresError) { _ = try connection.execute(sql("SELECT 1 / 0")) } catch {
                }
                do throws(PostgresError) {
                    _ = try connection.execute(sql("INSERT INTO t VALUES (2)"))
                } catch {
                    later = error
                }
            }
        }
        #expect(later?.sqlState == "25P02")
        #expect(error?.sqlState == "25P02")
        #expect(!connection.isInTransaction)
        #expect(try count(connection) == 0)
    }

    @Test func `transactions do not nest`() throws {
        let connection = try connectionWithTable()
        defer { connection.close() }
        let error = postgresError {
            try connection.transaction { connection throws(PostgresError) in
                try connection.transaction { connection throws(PostgresError) in }
            }
        }
        #expect(error?.isInvalid == true)
        #expect(!connection.isInTransaction)
    }

    @Test func `a body that ends the transaction itself is told so`() throws {
        let connection = try connectionWithTable()
        defer { connection.close() }
        let error = postgresError {
            try connection.transaction { connection throws(PostgresError) in
                _ = try connection.execute(sql("COMMIT"))
            }
        }
        #expect(error?.isInvalid == true)
    }

    @Test(arguments: [PostgresTransactionMode.readOnly, .readOnlySnapshot])
    func `a reader may not write`(_ mode: PostgresTransactionMode) throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        let error = postgresError {
            try connection.transaction(mode) { connection throws(PostgresError) in
                _ = try connection.execute(sql("CREATE TABLE never_made (n int)"))
            }
        }
        #expect(error?.sqlState == "25006")
    }

    @Test func `two serialisable writers in conflict give an error that says to retry`() throws {
        let url = try ScratchPostgres.shared.get().createDatabase()
        defer { try? ScratchPostgres.shared.get().dropDatabase(url) }
        let first = try PostgresConnection(url: url, options: .init())
        let second = try PostgresConnection(url: url, options: .init())
        defer {
            first.close()
            second.close()
        }
        try first.execute(script: "CREATE TABLE t (n int)")
        let error = postgresError {
            try first.transaction(.serializable) { first throws(PostgresError) in
                _ = try first.execute(sql("SELECT count(*) FROM t"))
                try second.transaction(.serializable) { second throws(PostgresError) in
                    _ = try second.execute(sql("SELECT count(*) FROM t"))
                    _ = try second.execute(sql("INSERT INTO t VALUES (2)"))
                }
                _ = try first.execute(sql("INSERT INTO t VALUES (1)"))
            }
        }
        #expect(error?.sqlState == "40001")
        #expect(error?.isRetryable == true)
    }

    @Test func `a commit of a failed transaction is an error although the server says otherwise`()
        throws
    {
        let connection = try connectionWithTable()
        defer { connection.close() }
        connection.isInsideTransactionCall = true
        _ = postgresError { try connection.pipeline([sql("BEGIN"), sql("SELECT 1 / 0")]) }
        connection.isInsideTransactionCall = false
        let error = postgresError { try connection.pipeline([sql("COMMIT")]) }
        #expect(error?.sqlState == "25P02")
        #expect(error?.commandIndex == 0)
    }
}

@Suite struct PostgresPreparedStatements {
    private let add = PostgresStatement(name: "add", sql: "SELECT $1 + 1")

    private func prepared(_ connection: PostgresConnection) throws -> Int64 {
        try connection.execute(sql("SELECT count(*) FROM pg_prepared_statements")).rows[0].int8(0)
    }

    @Test func `a named statement is prepared once and used again, within a pipeline too`() throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        let commands = (0..<10).map { PostgresCommand(add, [.int8($0)]) }
        for _ in 0..<3 {
            let results = try connection.pipeline(commands)
            #expect(try results.map { try $0.rows[0].int8(0) } == Array(1...10))
        }
        #expect(try prepared(connection) == 1)
        let uses = try connection.execute(
            sql("SELECT generic_plans + custom_plans FROM pg_prepared_statements"))
        #expect(try uses.rows[0].int8(0) == 30)
    }

    @Test func `a name used with other types is prepared for each`() throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        #expect(try connection.execute(PostgresCommand(add, [.int8(1)])).rows[0].int8(0) == 2)
        #expect(try connection.execute(PostgresCommand(add, [.int2(1)])).rows[0].int8(0) == 2)
        #expect(try connection.execute(PostgresCommand(add, [.int8(1)])).rows[0].int8(0) == 2)
        #expect(try prepared(connection) == 2)
    }

    @Test func `without prepared statements nothing is prepared and all works`() throws {
        let connection = try ScratchPostgres.connect { $0.usePreparedStatements = false }
        defer { connection.close() }
        let results = try connection.pipeline((0..<5).map { PostgresCommand(add, [.int8($0)]) })
        #expect(try results.map { try $0.rows[0].int8(0) } == Array(1...5))
        #expect(try prepared(connection) == 0)
    }

    @Test func `a statement that failed to be prepared is prepared anew`() throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        let read = PostgresCommand(.init(name: "read", sql: "SELECT n FROM late"), [])
        #expect(postgresError { try connection.execute(read) }?.sqlState == "42P01")
        try connection.execute(script: "CREATE TEMPORARY TABLE late (n int)")
        #expect(try connection.execute(read).rows.isEmpty)
    }

    @Test func `a statement prepared before a rollback is still known after it`() throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        _ = postgresError {
            try connection.pipeline([
                sql("BEGIN"), PostgresCommand(add, [.int8(1)]), sql("SELECT 1 / 0"), sql("COMMIT"),
            ])
        }
        #expect(try connection.execute(PostgresCommand(add, [.int8(1)])).rows[0].int8(0) == 2)
        #expect(try prepared(connection) == 1)
    }

    @Test func `statements discarded or changed behind our back fail once and then work`() throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        try connection.execute(script: "CREATE TEMPORARY TABLE t (n int)")
        let read = PostgresCommand(.init(name: "read", sql: "TABLE t"), [])
        _ = try connection.execute(read)
        try connection.execute(script: "DEALLOCATE ALL")
        #expect(postgresError { try connection.execute(read) }?.sqlState == "26000")
        #expect(try connection.execute(read).rows.isEmpty)
        try connection.execute(script: "ALTER TABLE t ADD COLUMN m text")
        #expect(postgresError { try connection.execute(read) }?.sqlState == "0A000")
        #expect(try connection.execute(read).rows.isEmpty)
        #expect(try prepared(connection) == 1)
    }

    @Test func `long names and many statements stay within bounds`() throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        for number in 0..<(PreparedStatements.most + 20) {
            let name = String(repeating: "né", count: 40)
            let statement = PostgresStatement(name: name, sql: "SELECT \(number)")
            let value = try connection.execute(PostgresCommand(statement, [])).rows[0].int4(0)
            #expect(value == Int32(number))
        }
        #expect(try prepared(connection) == Int64(PreparedStatements.most))
    }
}
