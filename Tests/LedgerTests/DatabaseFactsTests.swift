import Domain
import Foundation
import Ledger
import Postgres
import TestSupport
import Testing

/// What a real database says of itself.
@Suite struct `Database facts` {
    @Test func `a migrated database has its schema, its role's privileges and its keys' peppers`()
        throws
    {
        let books = try AuditBooks()
        let facts = try DatabaseFacts.read(url: books.database.url)
        #expect(facts.version >= 150_000 && !facts.isStandby && !facts.role.isEmpty)
        #expect(facts.missingPrivileges.isEmpty && facts.peppers == [1: 1])
        #expect(facts.connections > 0 && facts.connectionLimit >= facts.connections)
        let ledgers = try books.number("SELECT (extract(epoch FROM now()) * 1000000)::int8") ?? 0
        #expect(abs(facts.time.microseconds - ledgers) < 60_000_000)
        try books.run("UPDATE api_key SET pepper_id = 2;")
        #expect(try DatabaseFacts.read(url: books.database.url).peppers == [2: 1])
        try books.run("DELETE FROM schema_migration WHERE number = 13;")
        let older = try DatabaseFacts.read(url: books.database.url)
        #expect(older.schema != facts.schema && older.missingPrivileges.isEmpty)
        #expect(throws: LedgerError.self) {
            try DatabaseFacts.read(url: "postgres:///x?host=/nowhere")
        }
    }
}
