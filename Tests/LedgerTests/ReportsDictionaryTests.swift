import Foundation
import Postgres
import TestSupport
import Testing

/// `db/README.md` describes the database: neither may change without the other.
@Suite struct `The data dictionary` {
    /// Table and column with the type, as in `usage.day date`.
    private struct Described {
        var columns: Set<String> = []
        var withoutMeaning: Set<String> = []
        var tables: [String] = []
    }

    private static func dictionary() throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        return try String(
            contentsOf: root.appending(path: "db/README.md"), encoding: .utf8)
    }

    /// Reads the `###` headings and the rows below them.
    private static func described() throws -> Described {
        var result = Described()
        for line in try dictionary().split(separator: "\n") {
            if line.hasPrefix("## ") { result.tables.append("") }
            if let heading = line.wholeMatch(of: /### ([a-z_]+)/) {
                result.tables.append(String(heading.1))
            }
            guard let table = result.tables.last, !table.isEmpty,
                let row = line.wholeMatch(of: /\| `([a-z0-9_]+)` \| ([a-z0-9\[\]]+) \| (.*) \|/)
            else { continue }
            let column = "\(table).\(row.1)"
            result.columns.insert("\(column) \(row.2)")
            if row.3.allSatisfy(\.isWhitespace) { result.withoutMeaning.insert(column) }
        }
        result.tables.removeAll(where: \.isEmpty)
        return result
    }

    /// The columns of every table that is not a partition.
    private static let columns = PostgresStatement(
        name: nil,
        sql: """
            SELECT c.relname, a.attname, CASE format_type(a.atttypid, NULL)
                WHEN 'smallint' THEN 'int2' WHEN 'integer' THEN 'int4' WHEN 'bigint' THEN 'int8'
                WHEN 'bigint[]' THEN 'int8[]' WHEN 'smallint[]' THEN 'int2[]'
                WHEN 'boolean' THEN 'bool'
                WHEN 'timestamp with time zone' THEN 'timestamptz'
                ELSE format_type(a.atttypid, NULL) END
            FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                AND a.attnum > 0 AND NOT a.attisdropped
            """, isReadOnly: true)

    @Test func `every table and column of the migrated database is described, and nothing else`()
        throws
    {
        let database = try TestDatabase.make()
        let rows = try database.connection().execute(PostgresCommand(Self.columns, [])).rows
        let actual = Set(try rows.map { "\(try $0.text(0)).\(try $0.text(1)) \(try $0.text(2))" })
        let described = try Self.described()
        #expect(actual.count > 100)
        #expect(actual.subtracting(described.columns).sorted() == [], "not described")
        #expect(described.columns.subtracting(actual).sorted() == [], "not in the database")
        #expect(Set(described.tables) == Set(try rows.map { try $0.text(0) }))
        #expect(Set(described.tables).count == described.tables.count)
        #expect(described.withoutMeaning.isEmpty)
    }

    @Test func `every number that stands for a word is explained within the column's bounds`()
        throws
    {
        let text = try Self.dictionary()
        for column in ["subject_kind", "resource", "period", "dimension", "basis", "end_state"] {
            #expect(text.contains("| `\(column)` | 1 "), "\(column)")
        }
    }
}
