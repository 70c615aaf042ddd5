import Domain
import Postgres
import TestSupport
import Testing

@testable import Ledger

@Suite(.serialized, .timeLimit(.minutes(2))) struct EventRetentionTests {
    /// A node's events, which are kept for 90 days, and for 365 where they were given up.
    private struct Kept: Sendable {
        let node: PostgresUnderTest
        let ledger: PostgresEventLedger
        static let shard = OrganizationID.default.shard.rawValue

        init(_ node: PostgresUnderTest) throws {
            self.node = node
            var settings = LedgerSettings(
                databaseURL: node.database.url, dataDirectory: "", models: [], backends: [],
                prices: [:])
            settings.usesPreparedStatements = TestDatabase.ownsSessions
            ledger = try PostgresEventLedger(
                settings, of: node.node, webhooks: [], time: SystemTime(),
                random: LedgerRandom { UInt64.random(in: 0 ... .max) }, logger: .quiet)
        }

        /// Puts down an event of `days` ago: a test, or of an account and a limit. Its deliveries are
        /// given by their state and how many days ago they ended.
        @discardableResult
        func add(
            _ days: Int, _ deliveries: [(state: Int, ended: Int)] = [],
            of account: (id: Int64, limit: Int64)? = nil
        ) async throws -> EventID {
            let id = EventID(
                at: SystemTime().wall + .seconds(-86_400 * days),
                random: (UInt64.random(in: 0 ... .max), UInt64.random(in: 0 ... .max)))
            let hex = String(id.rawValue, radix: 16)
            let uuid = String(repeating: "0", count: 32 - hex.count) + hex
            let more = account.map { "1, \($0.id), 80, \($0.limit), \($0.limit)" }
            try await node.execute(
                """
                INSERT INTO quota_event (shard, organization_id, event_id, created_at, kind,
                    account_id, threshold_percent, limit_units, used)
                VALUES (\(Self.shard), 1, '\(uuid)', now() - interval '\(days) days',
                    \(more ?? "3, NULL, NULL, NULL, NULL"))
                """)
            for (index, delivery) in deliveries.enumerated() {
                let ended =
                    delivery.state == 1 ? "NULL" : "now() - interval '\(delivery.ended) days'"
                try await node.execute(
                    """
                    INSERT INTO event_delivery (shard, event_id, webhook, state, ended_at)
                    VALUES (\(Self.shard), '\(uuid)', 'w\(index)', \(delivery.state), \(ended))
                    """)
            }
            return id
        }

        var events: Int64? {
            get async throws { try await node.number("SELECT count(*) FROM quota_event") }
        }

        var deliveries: Int64? {
            get async throws { try await node.number("SELECT count(*) FROM event_delivery") }
        }
    }

    private struct Case: Sendable, CustomTestStringConvertible {
        let days: Int
        let deliveries: [(state: Int, ended: Int)]
        let stays: Bool
        var testDescription: String { "\(days) days, \(deliveries)" }
    }

    private static let cases = [
        Case(days: 91, deliveries: [], stays: false),
        Case(days: 89, deliveries: [], stays: true),
        Case(days: 91, deliveries: [(2, 91), (2, 91)], stays: false),
        Case(days: 5000, deliveries: [(2, 91), (1, 0)], stays: true),
        Case(days: 5000, deliveries: [(2, 91), (2, 89)], stays: true),
        Case(days: 400, deliveries: [(2, 400), (3, 364)], stays: true),
        Case(days: 400, deliveries: [(2, 400), (3, 366)], stays: false),
    ]

    @Test(arguments: cases)
    private func `an event goes when it and all of its deliveries are old, never before it arrived`(
        _ one: Case
    ) async throws {
        try await PostgresUnderTest.run { node in
            let kept = try Kept(node)
            try await kept.add(one.days, one.deliveries)
            try await kept.ledger.retire()
            #expect(try await kept.events == (one.stays ? 1 : 0))
            #expect(try await kept.deliveries == (one.stays ? Int64(one.deliveries.count) : 0))
        }
    }

    @Test func `what was told of a quota is not forgotten while it could be told again`()
        async throws
    {
        try await PostgresUnderTest.run { node in
            let kept = try Kept(node)
            let principal = try await node.principal(
                quotas: [(.key, .requests, .total, 1)], rateLimits: [])
            let request = node.request(principal, prompt: 5, completion: 5)
            _ = try await node.serve(request, using: TokenUsage(prompt: 5, completion: 5))
            try await kept.ledger.noteSettled()
            try await node.execute(
                """
                UPDATE quota_event SET created_at = now() - interval '400 days',
                    event_id = ('00000000' || substr(event_id::text, 9))::uuid
                """)
            try await kept.ledger.retire()
            #expect(try await kept.events == 2)
            try await kept.ledger.review()
            #expect(try await kept.events == 2)
            // Of another limit, and of a month that is over, it may go; nor is it told again.
            let account = try #require(try await node.number("SELECT account_id FROM account"))
            try await kept.add(100, of: (account, 7))
            try await kept.ledger.retire()
            #expect(try await kept.events == 2)
            try await node.execute(
                "UPDATE account SET period = 2, period_start = (now() AT TIME ZONE 'UTC')::date - 38"
            )
            try await kept.ledger.retire()
            #expect(try await kept.events == 0)
            _ = node.node.takeSettledAccounts()
            try await kept.ledger.noteSettled()
            #expect(try await kept.events == 0)
            try await node.execute("UPDATE account SET period = 3, period_start = '1970-01-01'")
        }
    }

    @Test func `more than go at once go all the same`() async throws {
        try await PostgresUnderTest.run { node in
            let kept = try Kept(node)
            try await node.execute(
                """
                INSERT INTO quota_event (shard, organization_id, event_id, created_at, kind)
                SELECT \(Kept.shard), 1, gen_random_uuid(), now() - interval '100 days', 3
                FROM generate_series(1, 1200)
                """)
            try await node.execute(
                "UPDATE quota_event SET event_id = ('00' || substr(event_id::text, 3))::uuid")
            try await kept.ledger.retire()
            #expect(try await kept.events == 0)
        }
    }

    @Test func `one that is sent on its way at this moment stays`() async throws {
        try await PostgresUnderTest.run { node in
            let kept = try Kept(node)
            try await kept.add(400, [(3, 380)])
            let other = try PostgresConnection(
                url: node.database.directURL(), options: PostgresConnectionOptions())
            defer { other.close() }
            _ = try other.execute(PostgresCommand(LaneStatements.begin, []))
            let again = PostgresStatement(
                name: nil, sql: "UPDATE event_delivery SET state = 1, ended_at = NULL")
            _ = try other.execute(PostgresCommand(again, []))
            async let retiring: Void = kept.ledger.retire()
            var waiting: Int64? = 0
            while waiting == 0 {
                waiting = try await node.number(
                    """
                    SELECT count(*) FROM pg_stat_activity
                    WHERE wait_event_type = 'Lock' AND datname = current_database()
                    """)
            }
            _ = try other.execute(PostgresCommand(LaneStatements.commit, []))
            try await retiring
            #expect(try await kept.events == 1)
            #expect(try await kept.deliveries == 1)
        }
    }

    @Test func `the age of the oldest event that waits is that of its creation`() async throws {
        try await PostgresUnderTest.run { node in
            let kept = try Kept(node)
            #expect(try await kept.ledger.oldestAge(for: "w1") == nil)
            try await kept.add(3, [(1, 0), (2, 1)])
            try await kept.add(2, [(1, 0), (1, 0)])
            try await kept.add(1, [(1, 0), (1, 0)])
            #expect(try await kept.ledger.oldestAge(for: "w2") == nil)
            for (webhook, days) in [("w0", 3), ("w1", 2)] {
                let age = try #require(try await kept.ledger.oldestAge(for: webhook))
                let off = age - .seconds(days * 86_400)
                #expect(off >= .zero && off < .seconds(60))
            }
        }
    }
}
