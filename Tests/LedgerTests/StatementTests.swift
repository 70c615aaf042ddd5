import Domain
import Ledger
import Postgres
import TestSupport
import Testing

@Suite struct `Statements` {
    private func statement(
        _ books: AuditBooks, daysAgo: Int32, since: Int32 = 6, kind: Subject.Kind = .key,
        id: Int64 = 21, after: Duration = .zero
    ) throws -> Statement {
        try books.store.statements.statement(
            StatementQuery(
                organization: .default, subject: Subject(kind: kind, id: id),
                at: try books.midnight(daysAgo: daysAgo) + after,
                since: try books.midnight(daysAgo: since)))
    }

    @Test func `a balance counts what was settled and corrected until the instant, and no more`()
        throws
    {
        let books = try AuditBooks()
        // Each day: 10 + 6, 20 + 7 and 30 + 8 tokens.
        let before = try statement(books, daysAgo: 3)
        #expect(before.lines.map(\.charged) == [81 * 3])
        #expect(before.lines.map(\.corrected) == [0])
        #expect(before.usage.requests == 9 && before.usage.failedRequests == 3)
        #expect(before.usage.chargedTokens == 81 * 3 && before.usage.costNanoUSD == 162 * 3)
        let after = try statement(books, daysAgo: 2)
        #expect(after.lines.map(\.used) == [81 * 4 - 5])
        #expect(after.lines[0].left == 1_000_000_000 - (81 * 4 - 5))
        #expect(try statement(books, daysAgo: 2, since: 3).usage.requests == 3)
        #expect(try statement(books, daysAgo: 2, kind: .team, id: 11).lines.map(\.used) == [12])
        #expect(
            try statement(books, daysAgo: 2, kind: .organization, id: 1).lines.map(\.used) == [648])
    }

    @Test func `a statement of the past is the same for ever, even when its records are gone`()
        throws
    {
        let books = try AuditBooks()
        let first = try statement(books, daysAgo: 2)
        #expect(try statement(books, daysAgo: 2) == first)
        _ = try books.audit(.incremental)
        #expect(try books.store.retention.drop(keeping: 3).dropped.count == 3)
        #expect(try statement(books, daysAgo: 2) == first)
        #expect(try statement(books, daysAgo: 4, since: 5).usage.requests == 3)
        // Within a dropped day nothing is known.
        #expect(throws: LedgerError.self) {
            try statement(books, daysAgo: 5, after: .seconds(12 * 3600))
        }
    }

    @Test func `another organization's subject has used nothing`() throws {
        let books = try AuditBooks()
        let neighbour =
            (2...100_000).lazy.map { OrganizationID(rawValue: $0) }
            .first { $0.shard == AuditBooks.shard } ?? .default
        let statement = try books.store.statements.statement(
            StatementQuery(
                organization: neighbour, subject: Subject(kind: .key, id: 21),
                at: try books.midnight(daysAgo: 1), since: try books.midnight(daysAgo: 6)))
        #expect(statement == Statement(lines: [], usage: UsageSums()))
    }

    @Test func `an instant in the future or of this minute is refused`() throws {
        let books = try AuditBooks()
        let now = try books.store.time()
        for at in [now, now + .seconds(3600)] {
            #expect(throws: LedgerError.self) {
                try books.store.statements.statement(
                    StatementQuery(
                        organization: .default, subject: Subject(kind: .key, id: 21), at: at,
                        since: try books.midnight(daysAgo: 1)))
            }
        }
    }
}
