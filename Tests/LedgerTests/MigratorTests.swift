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
