import Domain
import Foundation
import Postgres
import TestSupport
import Testing

@testable import Ledger

@Suite struct MigratorTests {
    private static let one = Migration(number: 1, name: "one", sql: "CREATE TABLE one (n int);")
    private static let two = Migration(
        number: 2, name: "two", sql: "CREATE TABLE two (n int); INSERT INTO two VALUES (2);")
    private static let halfBroken = Migration(
        number: 2, name: "two", sql: "CREATE TABLE two (n int); SELECT 1 / 0;")

    @Test func `an empty database is brought to this program's version, and once is enough`() throws
    {
        let database = try TestDatabase.makeEmpty()
        let connection = try database.connection()
        let migrator = Migrator()
        #expect(try migrator.check(connection) == .tooOld(version: 0, needs: migrator.version))
        let first = try migrator.migrate(connection)
        #expect(first.applied.map(\.number) == Array(1...migrator.version))
        #expect(first.applied.allSatisfy { $0.duration > .zero })
        #expect(try migrator.check(connection) == .current(version: migrator.version))
        let second = try migrator.migrate(connection)
        #expect(second.applied.isEmpty)
        #expect(second.version == migrator.version)
    }

    @Test func `only what is missing is applied`() throws {
        let database = try TestDatabase.makeEmpty()
        let connection = try database.connection()
        _ = try Migrator(migrations: [Self.one]).migrate(connection)
        let both = Migrator(migrations: [Self.one, Self.two])
        #expect(try both.check(connection) == .tooOld(version: 1, needs: 2))
        #expect(try both.migrate(connection).applied.map(\.name) == ["two"])
    }

    @Test func `a file changed after it was applied is refused by name`() throws {
        let database = try TestDatabase.makeEmpty()
        let connection = try database.connection()
        _ = try Migrator(migrations: [Self.one]).migrate(connection)
        let changed = Migration(number: 1, name: "one", sql: Self.one.sql + "\n")
        let migrator = Migrator(migrations: [changed, Self.two])
        let expected = SchemaState.changed(number: 1, name: "one")
        #expect(try migrator.check(connection) == expected)
        #expect(refusal { _ = try migrator.migrate(connection) } == expected)
        #expect(expected.description.contains("0001_one"))
        #expect(try tableExists("two", connection) == false)
    }

    @Test func `a hole in what was applied is refused by name`() throws {
        let database = try TestDatabase.makeEmpty()
        let connection = try database.connection()
        let migrator = Migrator(migrations: [Self.one, Self.two])
        _ = try migrator.migrate(connection)
        try connection.execute(script: "DELETE FROM schema_migration WHERE number = 1")
        let expected = SchemaState.missing(number: 1, name: "one")
        #expect(try migrator.check(connection) == expected)
        #expect(refusal { _ = try migrator.migrate(connection) } == expected)
    }

    @Test func `a database newer than the program is refused`() throws {
        let database = try TestDatabase.makeEmpty()
        let connection = try database.connection()
        _ = try Migrator(migrations: [Self.one, Self.two]).migrate(connection)
        let old = Migrator(migrations: [Self.one])
        #expect(try old.check(connection) == .tooNew(version: 2, knows: 1))
        #expect(refusal { _ = try old.migrate(connection) } == .tooNew(version: 2, knows: 1))
    }

    @Test func `a migration that fails half-way leaves nothing behind and can be repeated`() throws
    {
        let database = try TestDatabase.makeEmpty()
        let connection = try database.connection()
        let broken = Migrator(migrations: [Self.one, Self.halfBroken])
        let error = #expect(throws: LedgerError.self) { try broken.migrate(connection) }
        guard case .migrationFailed(let number, let name, _)? = error else {
            Issue.record("another error: \(String(describing: error))")
            return
        }
        #expect(number == 2 && name == "two")
        #expect(try tableExists("one", connection))
        #expect(try tableExists("two", connection) == false)
        #expect(try broken.check(connection) == .tooOld(version: 1, needs: 2))
        let repaired = try Migrator(migrations: [Self.one, Self.two]).migrate(connection)
        #expect(repaired.applied.map(\.number) == [2])
    }

    @Test func `of several migrators at once, each file is applied by one`() async throws {
        let database = try TestDatabase.makeEmpty()
        let reports = try await withThrowingTaskGroup(of: Migrator.Report.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    try Migrator(migrations: [Self.one, Self.two]).migrate(database.connection())
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(reports.flatMap(\.applied).map(\.number).sorted() == [1, 2])
        #expect(reports.allSatisfy { $0.version == 2 })
    }

    @Test func `rows written before the columns' new order are the same rows afterwards`() throws {
        let database = try TestDatabase.makeEmpty()
        let connection = try database.connection()
        _ = try Migrator(migrations: Array(Migration.all.prefix(9))).migrate(connection)
        try connection.execute(
            script: """
                INSERT INTO usage_hour (shard, hour, key_id, model_id, node_id, requests,
                    failed_requests, prompt_tokens, cached_tokens, cache_write_tokens,
                    completion_tokens, reasoning_tokens, charged, overage, cost_nanousd)
                SELECT 1, '2026-01-01T00:00Z'::timestamptz + n * '1 h'::interval, n, 2, 3, n + 4,
                    n + 5, n + 6, n + 7, n + 8, n + 9, n + 10, n + 11, n + 12, n + 13
                FROM generate_series(1, 50) n;
                INSERT INTO reservation (shard, request_id, node_id, epoch, key_id, model_id,
                    backend_id, price_version, prompt_bound, completion_bound, cost_bound_nanousd,
                    lease_ids, account_ids, units, admitted_at)
                SELECT 1, lpad(n::text, 32, '0')::uuid, 2, lpad('7', 32, '0')::uuid, 3, 4, 5,
                    nullif(n, 1), n + 6, n + 7, n + 8, ARRAY[n, 9], ARRAY[n, 10], ARRAY[n, 11],
                    '2026-01-01T00:00Z' FROM generate_series(1, 20) n;
                """)
        let before = try contents(connection)
        _ = try Migrator().migrate(connection)
        #expect(try contents(connection) == before)
        #expect(before.hours.contains("\"cost_nanousd\": 63") && before.open.contains("[20, 10]"))
    }

    /// Every row of the two tables as text with sorted names of columns.
    private func contents(
        _ connection: PostgresConnection
    ) throws -> (hours: String, open: String) {
        let row = try connection.execute(
            PostgresCommand(
                PostgresStatement(
                    name: nil,
                    sql: """
                        SELECT (SELECT jsonb_agg(to_jsonb(h) ORDER BY h.hour)::text FROM usage_hour h),
                            (SELECT jsonb_agg(to_jsonb(r) ORDER BY r.request_id)::text
                            FROM reservation r)
                        """), [])
        ).rows[0]
        return (try row.text(0), try row.text(1))
    }

    @Test func `the program carries exactly the files of the folder`() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("db/migrations")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".sql") }.sorted()
        #expect(Migration.all.map { $0.label + ".sql" } == files)
        for (migration, file) in zip(Migration.all, files) {
            let text = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
            #expect(migration.sql == text, "\(file)")
        }
    }

    @Test func `the default organization lies in the shard that its id gives`() throws {
        let database = try TestDatabase.make()
        let connection = try database.connection()
        let rows = try connection.execute(
            PostgresCommand(
                PostgresStatement(
                    name: nil,
                    sql: """
                        SELECT o.shard, n.name, r.revision FROM organization_name n
                        JOIN organization o ON o.organization_id = n.organization_id
                        JOIN directory_revision r ON r.shard = o.shard
                        """), [])
        ).rows
        #expect(rows.count == 1)
        #expect(try rows[0].int2(0) == OrganizationID.default.shard.rawValue)
        #expect(try rows[0].text(1) == "default")
        withExtendedLifetime(database) {}
    }

    private func tableExists(_ name: String, _ connection: PostgresConnection) throws -> Bool {
        let statement = PostgresStatement(name: nil, sql: "SELECT to_regclass($1) IS NOT NULL")
        return try connection.execute(PostgresCommand(statement, [.text(name)])).rows[0].bool(0)
    }

    private func refusal(_ body: () throws -> Void) -> SchemaState? {
        do { try body() } catch LedgerError.schema(let state) { return state } catch { return nil }
        return nil
    }
}
