import Domain
import Foundation
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// How requests ended and how long they took, of days whose records retention has dropped.
@Suite struct `Reports beyond the records` {
    /// Books of four days with requests of every kind, of three keys of two organizations.
    private struct Fixture {
        let books: UsageBooks
        static let days: Int32 = 4
        static let start = UsageBooks.start.day

        init(seed: UInt64, in books: UsageBooks? = nil) throws {
            self.books = try books ?? UsageBooks()
            try run("SELECT make_usage_partitions('\(Self.start)', \(Self.days))")
            var random = SplitMix(seed: seed)
            for day in 0..<Self.days {
                try add(300, daysAfter: day, &random)
            }
        }

        func run(_ script: String) throws {
            try books.store.connection.execute(script: script, within: .seconds(60))
        }

        /// Adds records of a day: each a random key, model, end and time.
        func add(_ count: Int, daysAfter: Int32, _ random: inout SplitMix) throws {
            let keys = [UsageBooks.ci, UsageBooks.laptop, UsageBooks.theirs]
            var rows: [String] = []
            for _ in 0..<count {
                let at =
                    CalendarDay(rawValue: Self.start.rawValue + daysAfter).start
                    + .microseconds(Int64(random.below(86_400_000_000)))
                let key = keys[Int(random.below(3))]
                let basis = 1 + random.below(6)
                let end =
                    switch basis {
                    case 4: 8 as UInt64
                    case 5: 5 as UInt64
                    default: 1 + random.below(4)
                    }
                let duration = random.next() >> (27 + random.below(30))
                let first = random.below(4) == 0 ? "NULL" : "\(random.below(duration + 1))"
                rows.append(
                    """
                    (\(key.shard.rawValue), '\(at.day)',
                        '\(RequestID(at: at, random: (random.next(), random.next())))',
                        \(key.databaseValue), \(1 + random.below(2)), 1, \(random.below(1000)), 0, 0,
                        \(random.below(100)), 0, 0, \(random.below(5000)), \(basis), \(end), '{}',
                        '{}', 1, timestamptz 'epoch' + interval '1 microsecond' * \(at.microseconds),
                        now(), \(first), \(duration))
                    """)
            }
            try run(
                """
                INSERT INTO usage (shard, day, request_id, key_id, model_id, backend_id,
                    prompt_tokens, cached_tokens, cache_write_tokens, completion_tokens,
                    reasoning_tokens, charged, cost_nanousd, basis, end_state, account_ids, charges,
                    node_id, admitted_at, settled_at, first_token_us, duration_us)
                VALUES \(rows.joined(separator: ",\n"))
                """)
        }

        /// Seals and drops a day as retention does.
        func drop(daysAfter: Int32) throws {
            let day = PostgresValue.date(Self.start.rawValue + daysAfter)
            let shard = PostgresValue.int2(OrganizationID.default.shard.rawValue)
            try books.store.connection.transaction { connection throws(PostgresError) in
                for command in [
                    PostgresCommand(RetentionStatements.hold, [day]),
                    PostgresCommand(AuditSealStatements.seal, [shard, day, .bool(true)]),
                    PostgresCommand(RetentionStatements.drop, [day]),
                ] {
                    _ = try connection.execute(command)
                }
            }
        }

        func query(
            _ grouping: UsageQuery.Grouping, of organization: OrganizationID = .default
        ) -> UsageQuery {
            UsageQuery(
                organization: organization, team: nil, key: nil, since: Self.start.start,
                until: CalendarDay(rawValue: Self.start.rawValue + Self.days).start,
                grouping: grouping)
        }

        func latency(
            _ grouping: UsageQuery.Grouping, of organization: OrganizationID = .default,
            in zone: String = "UTC"
        ) throws -> LatencyReport {
            try books.store.reports.latency(query(grouping, of: organization), in: zone)
        }

        func ends(_ organization: OrganizationID = .default) throws -> [UsageRow] {
            try books.store.reports.usage(query(.endState, of: organization))
        }
    }

    private static let groupings = UsageQuery.Grouping.allCases.filter { $0 != .hour }

    private static func times(_ row: LatencyRow) -> [Duration?] {
        [row.firstToken, row.duration].flatMap { [$0?.p50, $0?.p95, $0?.p99] }
    }

    /// Whether each time is within 1/32 of the exact one, or there is none in both.
    private static func areNear(_ told: LatencyRow, _ exact: LatencyRow) -> Bool {
        zip(times(told), times(exact)).allSatisfy { told, exact in
            guard let told, let exact else { return told == nil && exact == nil }
            return abs(told.microseconds - exact.microseconds) * 32 <= exact.microseconds
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `times stay within a thirty-second of what the records had told, by any grouping`(
        _ seed: UInt64
    ) throws {
        let fixture = try Fixture(seed: seed)
        try fixture.run("UPDATE api_key SET tags = '{env=prod}' WHERE name = 'ci'")
        let tenants = [OrganizationID.default, UsageBooks.neighbour]
        func all() throws -> [LatencyReport] {
            try tenants.flatMap { tenant in
                try Self.groupings.map { try fixture.latency($0, of: tenant) }
            }
        }
        let before = try all()
        #expect(before.allSatisfy { $0.dropped == nil })
        #expect(before.flatMap(\.rows).filter { $0.isApproximate }.isEmpty)
        for dropped in 0..<Fixture.days {
            try fixture.drop(daysAfter: dropped)
            let last = CalendarDay(rawValue: Fixture.start.rawValue + dropped)
            for (exact, now) in zip(before, try all()) {
                #expect(now.dropped == DroppedDays(days: Fixture.start...last, unknown: nil))
                #expect(now.rows.map(\.requests).sorted() == exact.rows.map(\.requests).sorted())
                for row in now.rows {
                    guard let was = exact.rows.first(where: { $0.group == row.group }) else {
                        Issue.record("a row too many: \(row)")
                        continue
                    }
                    #expect(row.requests == was.requests)
                    #expect(Self.areNear(row, was), "\(row) for \(was)")
                    if case .day(let day) = row.group {
                        #expect(row.isApproximate == (day <= last))
                        #expect(row.isApproximate || row == was)
                    } else {
                        #expect(row.isApproximate)
                    }
                }
            }
        }
        #expect(
            try fixture.books.store.connection.execute(
                PostgresCommand(
                    PostgresStatement(name: nil, sql: "SELECT count(*) FROM usage"), [])
            ).rows[0].int8(0) == 0)
    }

    @Test func `how requests ended stays what it was, with what corrections made of its cost`()
        throws
    {
        let fixture = try Fixture(seed: 5)
        try fixture.run(
            """
            INSERT INTO price_correction (shard, day, request_id, number, price_version,
                delta_nanousd, key_id, model_id, admitted_at)
            SELECT u.shard, u.day, u.request_id, n, 9, 1000 * n, u.key_id, u.model_id, u.admitted_at
            FROM usage u, generate_series(1, 2) n WHERE u.basis <> 5
            """)
        let before = (try fixture.ends(), try fixture.ends(UsageBooks.neighbour))
        for day in 0..<Fixture.days {
            try fixture.drop(daysAfter: day)
            #expect(try fixture.ends() == before.0)
            #expect(try fixture.ends(UsageBooks.neighbour) == before.1)
        }
        #expect(before.0.count > 4 && before.0 != before.1)
        var query = fixture.query(.endState)
        query.team = TeamID(rawValue: 11)
        func requests(_ rows: [UsageRow]) -> Int128 { rows.reduce(0) { $0 + $1.sums.requests } }
        let ofTeam = requests(try fixture.books.store.reports.usage(query))
        #expect(ofTeam > 0 && ofTeam < requests(before.0))
        query.tags = ["env=prod"]
        #expect(try fixture.books.store.reports.usage(query).isEmpty)
    }

    @Test func `a record that comes after its day was dropped is counted beside it`() throws {
        let fixture = try Fixture(seed: 6)
        try fixture.drop(daysAfter: 1)
        let before = (try fixture.latency(.day), try fixture.ends())
        try fixture.books.record(
            UsageBooks.ci, hour: 30, number: 7, state: .finished, tokens: 1)
        let after = (try fixture.latency(.day), try fixture.ends())
        #expect(
            after.0.rows.map(\.requests)
                == before.0.rows.enumerated().map { $1.requests + ($0 == 1 ? 1 : 0) })
        #expect(after.0.rows.map(\.isApproximate) == [false, true, false, false])
        func requests(_ rows: [UsageRow]) -> Int128 { rows.reduce(0) { $0 + $1.sums.requests } }
        #expect(requests(after.1) == requests(before.1) + 1)
    }

    @Test func `a day counts where its noon lies`() throws {
        let fixture = try Fixture(seed: 7)
        let utc = try fixture.latency(.day)
        for day in 0..<Fixture.days { try fixture.drop(daysAfter: day) }
        for zone in ["Asia/Kathmandu", "America/Los_Angeles", "Pacific/Auckland"] {
            let rows = try fixture.latency(.day, in: zone).rows
            #expect(rows.map(\.requests) == utc.rows.map(\.requests), "\(zone)")
        }
        var query = fixture.query(.day)
        query.since = query.since + .seconds(12 * 3600)
        query.until = Fixture.start.start + .seconds(60 * 3600)
        let rows = try fixture.books.store.reports.latency(query, in: "UTC").rows
        #expect(rows.map(\.requests) == utc.rows.prefix(2).map(\.requests))
        query.since = query.since + .seconds(3600)
        #expect(try fixture.books.store.reports.latency(query, in: "UTC").rows.count == 1)
    }

    @Test func `what the books do not keep is refused, with what may be asked instead`() throws {
        let fixture = try Fixture(seed: 8)
        #expect(try fixture.latency(.hour).rows.count > 24)
        try fixture.drop(daysAfter: 0)
        let error = #expect(throws: LedgerError.self) { try fixture.latency(.hour) }
        #expect(error?.description.contains("\(Fixture.start.next)") == true)
        try fixture.run("SELECT make_usage_partitions('2024-01-01', 101)")
        var query = fixture.query(.month)
        query.since = CalendarDay(year: 2024, month: 1, day: 1).start
        #expect(throws: LedgerError.self) {
            try fixture.books.store.reports.latency(query, in: "UTC")
        }
        query.since = CalendarDay(year: 2024, month: 1, day: 10).start
        query.until = CalendarDay(year: 2024, month: 12, day: 1).start
        #expect(try fixture.books.store.reports.latency(query, in: "UTC").rows.isEmpty)
    }

    /// How many sessions of the database wait for a lock.
    private static func waiters(_ books: UsageBooks) throws -> Int64 {
        try books.store.connection.execute(
            PostgresCommand(
                PostgresStatement(
                    name: nil,
                    sql: """
                        SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                        WHERE d.datname = current_database() AND NOT l.granted
                        """), [])
        ).rows[0].int8(0)
    }

    @Test(arguments: ["read committed", "serializable"])
    func `a report that meets retention counts a dropped day once`(_ isolation: String) throws {
        let fixture = try Fixture(seed: 9)
        try fixture.run(
            """
            DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation
                = ''\(isolation)''', current_database()); END $$
            """)
        let (latency, ends) = (try fixture.latency(.model).rows, try fixture.ends())
        let reader = try DirectoryStore(
            url: fixture.books.database.url, random: DirectoryFixture.random, author: .test)
        nonisolated(unsafe) let store = reader
        for (day, grouping) in [(0, UsageQuery.Grouping.model), (1, .endState)] {
            let query = fixture.query(grouping)
            let done = DispatchSemaphore(value: 0)
            nonisolated(unsafe) var told: [Int128] = []
            let open = try fixture.books.database.connection()
            let date = CalendarDay(rawValue: Fixture.start.rawValue + Int32(day))
            try open.execute(
                script: """
                    BEGIN;
                    UPDATE sealed_day SET dropped_at = now() WHERE day = '\(date)';
                    INSERT INTO sealed_day (shard, day, records, first_settled_at, last_settled_at,
                        dropped_at)
                    SELECT shard, day, count(*), min(settled_at), max(settled_at), now() FROM usage
                    WHERE day = '\(date)' GROUP BY 1, 2;
                    SELECT drop_usage_partition('\(date)');
                    """)
            Thread.detachNewThread {
                told =
                    grouping == .model
                    ? ((try? store.reports.latency(query, in: "UTC"))?.rows ?? [])
                        .map { Int128($0.requests) }
                    : ((try? store.reports.usage(query)) ?? []).map(\.sums.requests)
                done.signal()
            }
            // It waits for the day that is being dropped; one that does not has told wrong.
            var isDone = false
            while try !isDone && Self.waiters(fixture.books) == 0 {
                isDone = done.wait(timeout: .now()) == .success
            }
            try open.execute(script: "COMMIT")
            if !isDone { done.wait() }
            #expect(
                told
                    == (grouping == .model
                        ? latency.map { Int128($0.requests) } : ends.map(\.sums.requests)))
        }
    }

    @Test func `days that an earlier version dropped are told as unknown, and audited as they are`()
        throws
    {
        let database = try TestDatabase.makeEmpty()
        let connection = try database.connection()
        _ = try Migrator(migrations: Array(Migration.all.prefix(20))).migrate(connection)
        let shard = OrganizationID.default.shard.rawValue
        let today = "(now() AT TIME ZONE 'UTC')::date"
        func drop(_ daysAgo: Int) throws {
            try connection.execute(
                script: """
                    SELECT make_usage_partitions(\(today) - \(daysAgo), 1);
                    INSERT INTO sealed_day (shard, day, records, first_settled_at, last_settled_at,
                        dropped_at) SELECT \(shard), \(today) - \(daysAgo), 1, now(), now(), now();
                    INSERT INTO usage (shard, day, request_id, key_id, model_id, backend_id,
                        prompt_tokens, cached_tokens, cache_write_tokens, completion_tokens,
                        reasoning_tokens, charged, basis, end_state, account_ids, charges, node_id,
                        admitted_at, first_token_us, duration_us)
                    SELECT \(shard), d.day, '01900000-0000-7000-8000-00000000000\(daysAgo)', 1, 1, 1,
                        1, 0, 0, 1, 0, 2, 1, 1, '{}', '{}', 1, d.day::timestamp AT TIME ZONE 'UTC',
                        5, 20 FROM (SELECT \(today) - \(daysAgo) AS day) d;
                    INSERT INTO sealed_key (shard, day, key_id, model_id, requests, failed_requests,
                        prompt_tokens, cached_tokens, cache_write_tokens, completion_tokens,
                        reasoning_tokens, charged, overage, cost_nanousd)
                    SELECT \(shard), \(today) - \(daysAgo), 1, 1, 1, 0, 1, 0, 0, 1, 0, 2, 0, 0;
                    SELECT drop_usage_partition(\(today) - \(daysAgo));
                    """)
        }
        for daysAgo in [9, 8] { try drop(daysAgo) }
        _ = try Migrator().migrate(connection)
        try drop(7)
        let store = ReportStore(connection)
        let query = UsageQuery(
            organization: .default, team: nil, key: nil, since: Timestamp(microseconds: 0),
            until: nil, grouping: .endState)
        guard let dropped = try store.droppedDays(query), let unknown = dropped.unknown else {
            Issue.record("nothing was dropped")
            return
        }
        #expect(unknown.upperBound == unknown.lowerBound.next)
        #expect(dropped.days == unknown.lowerBound...unknown.upperBound.next)
        let found = try AuditStore(connection).audit(nil, depth: .complete).differences
        #expect(!found.contains { $0.table == "sealed_end" })
        let row = try connection.execute(
            PostgresCommand(
                PostgresStatement(
                    name: nil,
                    sql: """
                        SELECT count(*), min(timed), min(first_token_buckets[1])::int8,
                            min(duration_buckets[1])::int8 FROM sealed_end
                        """), [])
        ).rows[0]
        let kept = try (0..<4).map { try row.int8($0) }
        #expect(kept == [1, 1, 5, 20])
    }

    @Test func `the database counts into the buckets that the program reads`() throws {
        let books = try UsageBooks()
        var random = SplitMix(seed: 11)
        var times = (0..<2000).map { _ in Int64(random.next() >> (1 + random.below(63))) }
        for power in 0..<63 { times += [(1 << power) - 1, 1 << power, 1 << power | 1] }
        times.append(.max)
        let rows = try books.store.connection.execute(
            PostgresCommand(
                PostgresStatement(
                    name: nil,
                    sql: """
                        SELECT array_agg(latency_bucket(t.us) ORDER BY t.n)
                        FROM unnest($1::int8[]) WITH ORDINALITY AS t(us, n)
                        """), [.int8s(times)])
        ).rows
        #expect(
            try rows[0].int2s(0) == times.map { LatencyHistogram.bucket(of: .microseconds($0)) })
    }
}
