import Domain
import Foundation
import Ledger
import Postgres
import TestSupport
import Testing

@Suite struct `The audit` {
    /// One hand in the books, and the rows that must be named for it.
    struct Mutation: Sendable, CustomTestStringConvertible {
        let name: String
        let script: String
        let rule: String
        let table: String
        let row: String
        var testDescription: String { name }
        init(_ name: String, _ script: String, _ rule: String, _ table: String, _ row: String) {
            (self.name, self.script, self.rule, self.table, self.row) =
                (name, script, rule, table, row)
        }
    }

    private static let yesterday = "(now() AT TIME ZONE 'UTC')::date - 1"
    private static let first = """
        request_id = (SELECT min(request_id::text)::uuid FROM usage WHERE day = \(yesterday))
        """
    private static let void = "basis = 5 AND day = \(yesterday)"

    static let mutations = [
        Mutation(
            "used is one more", "UPDATE account SET used = used + 1 WHERE account_id = 1",
            "granted = used + leases", "account", "account_id=1"),
        Mutation(
            "granted is one more", "UPDATE account SET granted = granted + 1 WHERE account_id = 2",
            "granted = used + leases", "account", "account_id=2"),
        Mutation(
            "settled is one less", "UPDATE lease SET settled = settled - 1 WHERE lease_id = 101",
            "used + settled = records + corrections", "account", "account_id=1"),
        Mutation(
            "reserved is one less", "UPDATE lease SET reserved = reserved - 1 WHERE lease_id = 103",
            "reserved = open requests", "lease", "lease_id=103"),
        Mutation(
            "a lease is gone", "DELETE FROM lease WHERE lease_id = 102",
            "every lease that is claimed from exists", "lease", "lease_id=102"),
        Mutation(
            "an account is gone", "DELETE FROM account WHERE account_id = 3",
            "every account that is named exists", "account", "account_id=3"),
        Mutation(
            "a record is gone", "DELETE FROM usage WHERE day = \(yesterday) AND \(first)",
            "used + settled = records + corrections", "account", "account_id=1"),
        Mutation(
            "a record is gone, by its rollup",
            "DELETE FROM usage WHERE day = \(yesterday) AND \(first)",
            "the rollup = the records", "usage_hour", "node_id=7"),
        Mutation(
            "a record is doubled on another day",
            """
            CREATE TEMP TABLE x AS SELECT * FROM usage WHERE day = \(yesterday) AND \(first);
            UPDATE x SET day = day + 1; INSERT INTO usage SELECT * FROM x;
            """, "a request has one record", "usage", "request_id="),
        Mutation(
            "a record is on another day",
            """
            CREATE TEMP TABLE x AS SELECT * FROM usage WHERE day = \(yesterday) AND \(first);
            DELETE FROM usage WHERE \(first);
            UPDATE x SET day = day + 1; INSERT INTO usage SELECT * FROM x;
            """, "day = the UTC day of admitted_at", "usage", "request_id="),
        Mutation(
            "a charge is one more",
            "UPDATE usage SET charges[1] = charges[1] + 1 WHERE day = \(yesterday) AND \(first)",
            "a charge = the record's amount", "usage", "request_id="),
        Mutation(
            "a record is charged one more",
            "UPDATE usage SET charged = charged + 1 WHERE day = \(yesterday) AND \(first)",
            "charged + overage = prompt + completion", "usage", "request_id="),
        Mutation(
            "a void record costs", "UPDATE usage SET cost_nanousd = 1 WHERE \(void)",
            "a void request is not charged", "usage", "request_id="),
        Mutation(
            "a rollup is one more",
            """
            UPDATE usage_hour SET cost_nanousd = cost_nanousd + 1
            WHERE hour = (SELECT max(hour) FROM usage_hour)
            """, "the rollup = the records", "usage_hour", "key_id="),
        Mutation(
            "a rollup is gone",
            "DELETE FROM usage_hour WHERE hour = (SELECT max(hour) FROM usage_hour)",
            "the rollup = the records", "usage_hour", "hour="),
        Mutation(
            "an open request claims one more", "UPDATE reservation SET units[2] = units[2] + 1",
            "reserved = open requests", "account", "account_id=2"),
        Mutation(
            "an open request is gone", "DELETE FROM reservation", "reserved = open requests",
            "lease", "lease_id=101"),
        Mutation(
            "an open request claims from another account's lease",
            "UPDATE reservation SET lease_ids = '{102,101,103}'",
            "a request claims from its own node's leases", "reservation", "request_id="),
        Mutation(
            "the lane is gone", "DELETE FROM node_lane", "everything open belongs to a lane",
            "reservation", "request_id="),
        Mutation(
            "the lane of records is gone", "DELETE FROM reservation; DELETE FROM node_lane",
            "every record belongs to a lane", "node_lane", "node_id=7"),
        Mutation(
            "a batch's number was skipped", "UPDATE node_lane SET last_seq = last_seq + 1",
            "no batch of a lane is missing", "node_lane", "node_id=7"),
        Mutation(
            "a batch was applied under a number that another had",
            "UPDATE node_lane SET batches = batches + 1, opened = opened",
            "no batch of a lane is missing", "node_lane", "node_id=7"),
        Mutation(
            "a batch of an earlier life is missing",
            "UPDATE node_lane SET batches_before = batches_before - 1",
            "no batch of a lane is missing", "node_lane", "node_id=7"),
        Mutation(
            "a record of a lane that nobody has is there",
            "UPDATE usage SET node_id = 8 WHERE day = \(yesterday) AND \(first)",
            "every record belongs to a lane", "node_lane", "node_id=8"),
        Mutation(
            "an open request is gone, and what it claimed with it",
            "DELETE FROM reservation; UPDATE lease SET reserved = 0",
            "opened = open requests + records", "node_lane", "node_id=7"),
        Mutation(
            "an open request was closed, and no record was written",
            "UPDATE node_lane SET settled = settled + 1", "settled = records", "node_lane",
            "node_id=7"),
        Mutation(
            "a lane's number is negative", "UPDATE node_lane SET last_seq = -1", "last_seq >= 0",
            "node_lane", "node_id=7"),
        Mutation(
            "an open request is settled too",
            """
            CREATE TEMP TABLE x AS SELECT * FROM usage WHERE day = \(yesterday) AND \(first);
            UPDATE x SET request_id = (SELECT request_id FROM reservation);
            INSERT INTO usage SELECT * FROM x;
            """, "no request is both open and settled", "reservation", "request_id="),
        Mutation(
            "a correction is doubled", "UPDATE usage_adj SET delta = delta * 2",
            "used + settled = records + corrections", "account", "account_id=1"),
        Mutation(
            "a correction is larger than its charge", "UPDATE usage_adj SET delta = -1000",
            "a correction gives back at most the charge", "usage_adj", "account_id=1"),
        Mutation(
            "a request that was not swept is corrected",
            """
            INSERT INTO usage_adj (shard, day, request_id, account_id, delta, reason)
            SELECT shard, day, request_id, 2, 0, 1 FROM usage
            WHERE basis = 1 AND day = \(yesterday)
            """, "only a swept request is corrected", "usage_adj", "account_id=2"),
        Mutation(
            "a record has no partition",
            """
            CREATE TEMP TABLE x AS SELECT * FROM usage WHERE \(void);
            UPDATE x SET day = day - 400; INSERT INTO usage SELECT * FROM x;
            """, "the default partition is empty", "usage_default", "request_id="),
    ]

    @Test(arguments: mutations)
    func `a row that was changed is found and named, from seals and in full`(
        _ mutation: Mutation
    ) throws {
        let books = try AuditBooks()
        #expect(try books.audit(.incremental).findings.isEmpty)
        try books.run(mutation.script + ";")
        for depth in [AuditDepth.complete, .incremental] {
            let found = try books.audit(depth).differences
            #expect(
                found.contains {
                    $0.rule == mutation.rule && $0.table == mutation.table
                        && $0.row.contains(mutation.row) && $0.found != $0.expected
                }, "\(found)")
        }
    }

    @Test func `books as the ledger writes them have no difference, whatever was sealed`() throws {
        let books = try AuditBooks()
        let complete = try books.audit(.complete)
        #expect(complete.findings == [])
        #expect(complete.extent.records == 28 && complete.extent.sealedRecords == 0)
        #expect(try books.number("SELECT count(*) FROM sealed_day") == 0)
        #expect(try books.audit(.incremental).extent.records == 28)
        // Six whole days; yesterday is not closed for a day yet.
        #expect(try books.number("SELECT count(*) FROM sealed_day") == 5)
        let again = try books.audit(.incremental)
        #expect(again.findings == [])
        #expect(again.extent.records == 8 && again.extent.sealedRecords == 20)
    }

    /// Takes yesterday's first record away, and everything that was added up from it.
    private static let withoutATrace = """
        CREATE TEMP TABLE gone AS SELECT * FROM usage WHERE day = \(yesterday) AND \(first);
        DELETE FROM usage WHERE day = \(yesterday) AND \(first);
        UPDATE usage_hour h SET requests = h.requests - 1,
            prompt_tokens = h.prompt_tokens - g.prompt_tokens,
            completion_tokens = h.completion_tokens - g.completion_tokens,
            charged = h.charged - g.charged, cost_nanousd = h.cost_nanousd - g.cost_nanousd
        FROM gone g WHERE h.hour = date_trunc('hour', g.admitted_at, 'UTC');
        DELETE FROM usage_hour WHERE requests + failed_requests = 0;
        UPDATE account a SET used = a.used - c.charge, granted = a.granted - c.charge
        FROM gone g, unnest(g.account_ids, g.charges) AS c(account_id, charge)
        WHERE a.account_id = c.account_id;
        """

    @Test(arguments: [AuditDepth.complete, .incremental])
    func `a record that is gone with all that was added up from it is missed by its lane alone`(
        depth: AuditDepth
    ) throws {
        let books = try AuditBooks()
        _ = try books.audit(.incremental)
        try books.run(Self.withoutATrace)
        let found = try books.audit(depth).findings
        #expect(
            found.map(\.rule) == ["opened = open requests + records", "settled = records"])
        #expect(found.allSatisfy { $0.table == "node_lane" && $0.row == "node_id=7" })
        #expect(found.map(\.found) == ["opened 29", "settled 28"])
        #expect(found.map(\.expected) == ["opened 1 + 27", "settled 27"])
    }

    @Test func `a lane that a program without counts has opened is told, until it is opened anew`()
        throws
    {
        let books = try AuditBooks()
        try books.run(
            "UPDATE node_lane SET batches = NULL, batches_before = NULL, opened = NULL,"
                + " settled = NULL;")
        let report = try books.audit(.complete)
        #expect(report.differences == [])
        #expect(report.warnings.map(\.rule) == ["every lane is counted"])
    }

    @Test func `a sealed day's records are not read again until a complete audit`() throws {
        let books = try AuditBooks()
        _ = try books.audit(.incremental)
        try books.run(
            "UPDATE usage SET charged = charged + 1 WHERE day = \(Self.yesterday) - 3 AND basis = 1;"
        )
        #expect(try books.audit(.incremental).findings == [])
        #expect(try books.audit(.complete).differences.count >= 2)
    }

    @Test func `a record that comes late into a sealed day is no difference and is sealed anew`()
        throws
    {
        let books = try AuditBooks()
        _ = try books.audit(.incremental)
        try books.run(
            """
            CREATE TEMP TABLE x AS SELECT * FROM usage
            WHERE day = \(Self.yesterday) - 2 AND basis = 5;
            UPDATE x SET request_id = '01900000-0000-7000-8000-000000000001', basis = 1,
                prompt_tokens = 7, charged = 7, charges = '{7,1,0}';
            INSERT INTO usage SELECT * FROM x;
            UPDATE account SET used = used + 7, granted = granted + 7 WHERE account_id = 1;
            UPDATE account SET used = used + 1, granted = granted + 1 WHERE account_id = 2;
            UPDATE usage_hour h SET requests = requests + 1, prompt_tokens = h.prompt_tokens + 7,
                charged = h.charged + 7
            FROM x WHERE h.hour = date_trunc('hour', x.admitted_at, 'UTC');
            UPDATE node_lane SET opened = opened + 1, settled = settled + 1;
            """)
        #expect(try books.audit(.incremental).findings == [])
        let next = try books.audit(.incremental)
        #expect(next.findings == [])
        #expect(next.extent.records == 8 && next.extent.sealedRecords == 21)
    }

    @Test func `what waits for a sweep and what a backend overcharged are warnings`() throws {
        let books = try AuditBooks()
        try books.run("UPDATE node_lane SET live = false;")
        try books.run(
            """
            UPDATE usage SET overage = 3, completion_tokens = completion_tokens + 3
            WHERE day = \(Self.yesterday) AND \(Self.first);
            UPDATE usage_hour h SET overage = 3, completion_tokens = h.completion_tokens + 3
            FROM usage u WHERE u.overage = 3 AND h.hour = date_trunc('hour', u.admitted_at, 'UTC');
            """)
        let report = try books.audit(.complete)
        #expect(report.differences == [])
        #expect(report.warnings.map(\.table).sorted() == ["node_lane", "usage"])
    }

    @Test(.timeLimit(.minutes(1)))
    func `an audit of books without a record ends at once, at either depth`() throws {
        let database = try TestDatabase.make()
        let store = try DirectoryStore(
            url: database.url, random: DirectoryFixture.random, author: .test)
        for depth in [AuditDepth.incremental, .complete, .incremental] {
            #expect(try store.auditor.audit(nil, depth: depth).differences == [])
        }
    }

    /// Audits on a thread of its own, since every call waits for the database.
    private static func auditRepeatedly(_ database: TestDatabase) async throws {
        let differences = try await withCheckedThrowingContinuation {
            (done: CheckedContinuation<[AuditFinding], any Error>) in
            Thread.detachNewThread {
                done.resume(
                    with: Result {
                        let store = try DirectoryStore(
                            url: database.url, random: DirectoryFixture.random, author: .test)
                        return try (0..<20).flatMap { _ in
                            try store.auditor.audit(nil, depth: .incremental).differences
                        }
                    })
            }
        }
        #expect(differences == [])
    }

    @Test func `an audit while two nodes work never sees a difference`() async throws {
        let database = try TestDatabase.make()
        try await PostgresUnderTest.run(on: database) { first in
            try await PostgresUnderTest.run(on: database) { second in
                let principal = try await first.principal(
                    quotas: [
                        (.key, .tokens, .day, 1_000_000), (.team, .requests, .total, 100_000),
                    ], rateLimits: [])
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<120 as Range<Int64> {
                        let test = number % 2 == 0 ? first : second
                        group.addTask {
                            _ = try await test.serve(
                                test.request(principal, prompt: 30, completion: 50),
                                using: TokenUsage(prompt: 30, completion: number % 50),
                                basis: number % 11 == 0 ? .void : .reported)
                        }
                    }
                    group.addTask { try await Self.auditRepeatedly(database) }
                    try await group.waitForAll()
                }
                let store = try DirectoryStore(
                    url: database.url, random: DirectoryFixture.random, author: .test)
                let report = try store.auditor.audit(nil, depth: .complete)
                #expect(report.differences == [] && report.extent.records == 120)
            }
        }
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["TURNPIKE_BENCHMARK"] != nil))
    func `a million records are proved within a minute, and in a second once sealed`() throws {
        let books = try AuditBooks()
        try books.run(
            """
            TRUNCATE usage, usage_hour, usage_adj, reservation, lease;
            \(AuditBooks.records(days: 9, each: 100_000)) \(AuditBooks.balances)
            ANALYZE;
            """)
        func measure(_ name: String, _ depth: AuditDepth) throws -> Duration {
            var report = AuditReport()
            let took = try ContinuousClock().measure { report = try books.audit(depth) }
            #expect(report.findings == [], "\(name)")
            FileHandle.standardError.write(
                Data("\(name): \(report.extent.records) records in \(took)\n".utf8))
            return took
        }
        #expect(try measure("complete", .complete) < .seconds(60))
        _ = try measure("first, sealing", .incremental)
        #expect(try measure("incremental", .incremental) < .seconds(10))
    }
}
