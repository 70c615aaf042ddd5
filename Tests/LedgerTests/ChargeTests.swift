import Domain
import TestSupport
import Testing

@testable import Ledger

/// What each request of the past was charged, as a replay reads it.
@Suite struct ChargeTests {
    private func charges(
        _ books: AuditBooks, _ subject: Subject, _ resource: Resource = .tokens,
        daysAgo: Int32 = 6, page: Int64 = 10_000
    ) throws -> [(charge: Int64, admitted: Timestamp)] {
        var found: [(charge: Int64, admitted: Timestamp)] = []
        let query = ChargeQuery(
            organization: .default, subject: subject, resource: resource,
            since: try books.midnight(daysAgo: daysAgo), until: try books.midnight(daysAgo: 0))
        try ChargeStore(books.store.connection, page: page).read(query) { found.append(($0, $1)) }
        return found
    }

    private let key = Subject(kind: .key, id: 21)

    @Test(arguments: [1, 3, 10_000] as [Int64])
    func `are those of the records, corrected, in the order of their admission`(
        _ page: Int64
    ) throws {
        let books = try AuditBooks()
        let found = try charges(books, key, page: page)
        #expect(found.count == 18)
        // Each day 16, 27 and 38 tokens; one of them was set right by 5.
        #expect(found.map(\.charge).reduce(0, +) == 81 * 6 - 5)
        #expect(found.map(\.admitted) == found.map(\.admitted).sorted())
        #expect(Set(found.map(\.admitted)).count == 18)
    }

    @Test func `are in requests or nano-dollars where that is asked`() throws {
        let books = try AuditBooks()
        #expect(try charges(books, key, .requests).map(\.charge) == Array(repeating: 1, count: 18))
        #expect(try charges(books, key, .cost).map(\.charge).reduce(0, +) == 162 * 6)
        #expect(try charges(books, key, daysAgo: 2).count == 6)
    }

    @Test func `are of the subject's keys and nobody else's`() throws {
        let books = try AuditBooks()
        #expect(try charges(books, Subject(kind: .team, id: 11)).count == 18)
        #expect(try charges(books, Subject(kind: .organization, id: 1)).count == 18)
        for subject in [
            Subject(kind: .team, id: 21), Subject(kind: .key, id: 11),
            Subject(kind: .organization, id: 2),
        ] { #expect(try charges(books, subject).isEmpty) }
    }

    @Test func `of days that were dropped are refused, and say when to begin`() throws {
        let books = try AuditBooks()
        _ = try books.audit(.incremental)
        #expect(try books.store.retention.drop(keeping: 3).dropped.count == 3)
        #expect(throws: LedgerError.self) { try charges(books, key) }
        #expect(try charges(books, key, daysAgo: 3).count == 9)
    }
}
