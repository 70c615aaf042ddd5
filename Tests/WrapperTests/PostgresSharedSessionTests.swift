import Postgres
import Testing

/// Connections whose server session belongs to everybody, as behind a pooler that shares them.
@Suite struct PostgresSharedSessions {
    private static let timeout = sql("SELECT current_setting('lock_timeout')")

    private func connect(
        _ change: (inout PostgresConnectionOptions) -> Void = { _ in }
    ) throws -> PostgresConnection {
        try ScratchPostgres.connect {
            $0.usePreparedStatements = false
            $0.lockTimeout = .seconds(7)
            change(&$0)
        }
    }

    @Test func `the settings hold in every transaction and leave no trace in the session`() throws {
        let connection = try connect()
        defer { connection.close() }
        #expect(!connection.ownsSession)
        #expect(try connection.execute(Self.timeout).rows[0].text(0) == "7s")
        let batch = try connection.pipeline([sql("BEGIN"), Self.timeout, sql("COMMIT")])
        #expect(batch.map(\.commandTag) == ["BEGIN", "SELECT 1", "COMMIT"])
        #expect(try batch[1].rows[0].text(0) == "7s")
        let several = try connection.pipeline([Self.timeout, Self.timeout])
        #expect(try several.map { try $0.rows[0].text(0) } == ["7s", "7s"])
        let inside = try connection.transaction { connection throws(PostgresError) in
            try connection.execute(Self.timeout).rows[0].text(0)
        }
        #expect(inside == "7s")
        // A script is sent as it is: it shows the session.
        try connection.execute(
            script: """
                DO $$ BEGIN
                    IF current_setting('lock_timeout') <> '0' THEN RAISE EXCEPTION 'left'; END IF;
                END $$
                """)
    }

    @Test func `errors name the position of the caller's own command`() throws {
        let connection = try connect()
        defer { connection.close() }
        let divide = sql("SELECT 1 / 0")
        let explicit = postgresError {
            try connection.pipeline([sql("BEGIN"), Self.timeout, divide, sql("COMMIT")])
        }
        #expect(explicit?.commandIndex == 2)
        let implicit = postgresError { try connection.pipeline([divide, Self.timeout]) }
        #expect(implicit?.commandIndex == 0)
        #expect(try connection.execute(Self.timeout).rows[0].text(0) == "7s")
        let unknown = try connect { $0.settings = [("no_such_setting", "1")] }
        defer { unknown.close() }
        let refused = postgresError { try unknown.pipeline([sql("BEGIN"), sql("COMMIT")]) }
        #expect(refused?.sqlState == "42704")
        #expect(refused?.commandIndex == nil)
    }

    @Test func `a connection without a pooler in between owns its session`() throws {
        let connection = try ScratchPostgres.connect { $0.lockTimeout = .seconds(7) }
        defer { connection.close() }
        #expect(connection.ownsSession)
        #expect(try connection.execute(Self.timeout).rows[0].text(0) == "7s")
    }
}
