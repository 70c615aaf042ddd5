import Domain
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// What the books tell of quotas of one model.
@Suite struct `Quotas of one model in the books` {
    /// A quota of the key's use of `tiny`, set 30 days ago: account 4, charged 3 for each request.
    private static func books() throws -> AuditBooks {
        let books = try AuditBooks()
        try books.run(
            """
            INSERT INTO subject_model (shard, subject_kind, owner_id, model_name, subject_id,
                organization_id) VALUES (\(AuditBooks.shard.rawValue), 3, 21, 'tiny', -5, 1);
            INSERT INTO quota_change (shard, organization_id, subject_kind, subject_id, resource,
                period, at, limit_units)
            VALUES (\(AuditBooks.shard.rawValue), 1, 3, -5, 1, 3, now() - interval '30 days', 500);
            INSERT INTO account (shard, account_id, organization_id, subject_kind, subject_id,
                resource, period, period_start, limit_units, cap, granted, used)
            VALUES (\(AuditBooks.shard.rawValue), 4, 1, 3, -5, 1, 3, '1970-01-01', 500, 500, 84, 84);
            UPDATE usage SET account_ids = account_ids || 4::int8, charges = charges || 3::int8;
            """)
        return books
    }

    @Test func `a statement has a line for each, and the model's counts its own account`() throws {
        let books = try Self.books()
        let statement = try books.store.statements.statement(
            StatementQuery(
                organization: .default, subject: Subject(kind: .key, id: 21),
                at: try books.midnight(daysAgo: 2), since: try books.midnight(daysAgo: 6)))
        #expect(statement.lines.map(\.model) == [nil, "tiny"])
        #expect(statement.lines.map(\.limit) == [1_000_000_000, 500])
        // Four requests on each of the four days before it.
        #expect(statement.lines.map(\.used) == [319, 48] as [Int128])
        #expect(statement.lines.map(\.account.subject.isOfOneModel) == [false, true])
        let team = try books.store.statements.statement(
            StatementQuery(
                organization: .default, subject: Subject(kind: .team, id: 11),
                at: try books.midnight(daysAgo: 2), since: try books.midnight(daysAgo: 6)))
        #expect(team.lines.map(\.model) == [nil])
    }

    @Test func `a request's story names the model of its quota, and whose it is`() throws {
        let books = try Self.books()
        guard
            case .story(let story) = try books.store.stories.explain(
                try books.request(daysAgo: 2, 1), organization: .default)
        else {
            Issue.record("unknown")
            return
        }
        #expect(story.shares.map(\.model) == [nil, nil, nil, "tiny"])
        #expect(story.shares.map(\.subjectName) == ["ci", "research", "default", "ci"])
        #expect(story.shares.last?.amount == 3)
    }

    @Test func `a replay reads the requests of one model`() throws {
        let books = try AuditBooks()
        let number = NameNumber.of("gpt-4o")
        try books.run(
            """
            UPDATE usage SET model_id = \(number)
            WHERE day = (now() AT TIME ZONE 'UTC')::date - 2;
            """)
        func count(_ model: String?) throws -> Int {
            var count = 0
            let query = ChargeQuery(
                organization: .default, subject: Subject(kind: .team, id: 11), model: model,
                resource: .tokens, since: try books.midnight(daysAgo: 6),
                until: try books.midnight(daysAgo: 0))
            try books.store.charges.read(query) { _, _ in count += 1 }
            return count
        }
        #expect(try count(nil) == 18)
        #expect(try count("gpt-4o") == 3)
        #expect(try count("another") == 0)
    }
}
