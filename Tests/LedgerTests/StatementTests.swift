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

    @Test func `nothing that happens after an instant changes its statement`() throws {
        let books = try AuditBooks()
        let team = try statement(books, daysAgo: 2, kind: .team, id: 11)
        let key = try statement(books, daysAgo: 2)
        let key3 = try statement(books, daysAgo: 3)
        #expect(key.lines.map(\.left) == [1_000_000_000 - (81 * 4 - 5)])
        // A correction, a sweep and a late record of requests that were admitted before it.
        try books.run(
            """
            INSERT INTO usage_adj (shard, day, request_id, account_id, delta, reason)
            SELECT shard, day, request_id, 1, -7, 1 FROM usage WHERE basis = 4
                AND day = (now() AT TIME ZONE 'UTC')::date - 4;
            CREATE TEMP TABLE x AS SELECT * FROM usage
            WHERE day = (now() AT TIME ZONE 'UTC')::date - 3 AND basis = 1;
            UPDATE x SET request_id = '01900000-0000-7000-8000-000000000001', basis = 4,
                settled_at = now();
            INSERT INTO usage SELECT * FROM x;
            UPDATE x SET request_id = '01900000-0000-7000-8000-000000000002', basis = 6;
            INSERT INTO usage SELECT * FROM x;
            """)
        // New limits, a quota taken away, and a new account for the period of the instant.
        let organization = try #require(try books.store.organizations.find(name: "default"))
        let keySubject = Subject(kind: .key, id: 21)
        for change in [
            AllowanceChange.setQuota(.tokens, .total, limit: 5), .clearQuota(.tokens, .total),
            .setQuota(.tokens, .day, limit: 7),
        ] {
            _ = try books.store.apply([change], subject: keySubject, organization: organization)
        }
        try books.run(
            """
            INSERT INTO account (shard, account_id, organization_id, subject_kind, subject_id,
                resource, period, period_start, limit_units, cap)
            SELECT shard, 9, 1, 3, 21, 1, 1, (now() AT TIME ZONE 'UTC')::date - 2, 7, 7
            FROM account WHERE account_id = 1;
            """)
        #expect(try statement(books, daysAgo: 2) == key)
        #expect(try statement(books, daysAgo: 3) == key3)
        #expect(try statement(books, daysAgo: 2, kind: .team, id: 11) == team)
    }

    @Test func `a statement has the limits of its instant, of quotas that were in force then`()
        throws
    {
        let books = try AuditBooks()
        let (key, organization) = (
            Subject(kind: .key, id: 21),
            try #require(try books.store.organizations.find(name: "default"))
        )
        // A day quota that nobody has used: it has no account.
        _ = try books.store.apply(
            [.setQuota(.requests, .day, limit: 40)], subject: key, organization: organization)
        _ = try books.store.apply(
            [.setQuota(.requests, .day, limit: 30), .setQuota(.requests, .day, limit: 20)],
            subject: key, organization: organization)
        _ = try books.store.apply(
            [.clearQuota(.requests, .day)], subject: key, organization: organization)
        // Noted in the order of the changes, two of them in one transaction; moved into the past.
        #expect(
            try books.number("SELECT count(DISTINCT at) FROM quota_change WHERE period = 1") == 4)
        try books.run(
            """
            UPDATE quota_change c SET at = ((now() AT TIME ZONE 'UTC')::date - 5 + n.place::int)
                ::timestamp AT TIME ZONE 'UTC'
            FROM (SELECT at, row_number() OVER (ORDER BY at) AS place FROM quota_change
                WHERE period = 1) n WHERE n.at = c.at AND c.period = 1;
            """)
        func limits(_ daysAgo: Int32) throws -> [Int64] {
            try statement(books, daysAgo: daysAgo, after: .seconds(3600)).lines
                .filter { $0.account.period == .day }.map(\.limit)
        }
        #expect(try [5, 4, 3, 2, 1].map(limits) == [[], [40], [30], [20], []])
        let unused = try statement(books, daysAgo: 3, after: .seconds(3600)).lines
        #expect(unused.map(\.used) == [81 * 3, 0])
        #expect(try books.audit(.complete).differences == [])
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
