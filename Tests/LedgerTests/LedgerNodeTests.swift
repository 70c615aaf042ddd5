import Domain
import Foundation
import Ledger
import Postgres
import TestSupport
import Testing

/// What only a real ledger can show: death, fences, several nodes, and books that prove themselves.
@Suite(.serialized) struct LedgerNodeTests {
    private let shard = PostgresValue.int2(OrganizationID.default.shard.rawValue)

    /// The auditor's question, per account, in one snapshot: the number of accounts whose books do
    /// not balance.
    static let audit = """
        SELECT count(*) FROM account a WHERE NOT (
            a.granted = a.used + coalesce((SELECT sum(l.granted) FROM lease l
                WHERE l.shard = a.shard AND l.account_id = a.account_id), 0)
            AND a.used + coalesce((SELECT sum(l.settled) FROM lease l
                WHERE l.shard = a.shard AND l.account_id = a.account_id), 0)
                = coalesce((SELECT sum(z.charge) FROM usage u,
                    unnest(u.account_ids, u.charges) AS z(account, charge)
                    WHERE u.shard = a.shard AND z.account = a.account_id), 0)
                + coalesce((SELECT sum(j.delta) FROM usage_adj j
                    WHERE j.shard = a.shard AND j.account_id = a.account_id), 0)
            AND coalesce((SELECT sum(l.reserved) FROM lease l
                WHERE l.shard = a.shard AND l.account_id = a.account_id), 0)
                = coalesce((SELECT sum(z.units) FROM reservation r,
                    unnest(r.account_ids, r.units) AS z(account, units)
                    WHERE r.shard = a.shard AND z.account = a.account_id), 0))
        """

    /// Rollups against records, per key: the number of keys that differ.
    private static let rollupAudit = """
        SELECT count(*) FROM (
            SELECT key_id, sum(charged) AS charged, sum(requests + failed_requests) AS requests
            FROM usage_hour GROUP BY key_id) h
        FULL JOIN (SELECT key_id, sum(charged) AS charged, count(*) AS requests
            FROM usage GROUP BY key_id) u USING (key_id)
        WHERE h.charged IS DISTINCT FROM u.charged OR h.requests IS DISTINCT FROM u.requests
        """

    private func expectBalancedBooks(_ test: PostgresUnderTest) async throws {
        #expect(try await test.number(Self.audit) == 0)
        #expect(try await test.number(Self.rollupAudit) == 0)
        #expect(try await test.number("SELECT count(*) FROM usage_default") == 0)
    }

    @Test func `after mixed traffic the books balance and a clean stop leaves nothing behind`()
        async throws
    {
        let database = try TestDatabase.make()
        try await PostgresUnderTest.run(on: database) { test in
            let principal = try await test.principal(
                quotas: [
                    (.key, .tokens, .day, 4000), (.team, .tokens, .month, 1_000_000),
                    (.organization, .requests, .total, 500),
                ], rateLimits: [])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<150 as Range<Int64> {
                    group.addTask {
                        _ = try await test.serve(
                            test.request(principal, prompt: 30, completion: 50),
                            using: TokenUsage(prompt: 30, cached: 10, completion: number % 50),
                            basis: number % 11 == 0 ? .void : .reported)
                    }
                }
                try await group.waitForAll()
            }
            try await expectBalancedBooks(test)
        }
        try await PostgresUnderTest.run(on: database) { test in
            try await expectBalancedBooks(test)
            #expect(try await test.number("SELECT count(*) FROM reservation") == 0)
            #expect(try await test.number("SELECT count(*) FROM lease") == 0)
            #expect(
                try await test.number("SELECT count(*) FROM account WHERE granted <> used") == 0)
            #expect(try await test.number("SELECT count(*) FROM usage WHERE basis = 4") == 0)
        }
    }

    /// A host whose wall clock is ahead.
    private struct AheadTime: TimeSource {
        private let real = SystemTime()
        let lead: Duration

        var wall: Timestamp { real.wall + lead }
        var uptime: Uptime { real.uptime }
    }

    @Test func `a node whose host is a day ahead charges today's quota from its first request on`()
        async throws
    {
        let database = try TestDatabase.make()
        let time = AheadTime(lead: .seconds(86_400))
        try await PostgresUnderTest.run(
            on: database, time: time, change: { $0.heartbeat = .seconds(5) }
        ) { test in
            let principal = try await test.principal(
                quotas: [(.key, .tokens, .day, 1000)], rateLimits: [])
            _ = try await test.serve(
                test.request(principal, prompt: 30, completion: 50),
                using: TokenUsage(prompt: 30, completion: 20))
            #expect(try await test.number("SELECT count(*) FROM account WHERE used >= 0") == 1)
            let elsewhere = "period_start <> (now() AT TIME ZONE 'UTC')::date"
            #expect(try await test.number("SELECT count(*) FROM account WHERE \(elsewhere)") == 0)
            #expect(
                try await test.number(
                    "SELECT count(*) FROM usage WHERE day <> (now() AT TIME ZONE 'UTC')::date") == 0
            )
        }
    }

    @Test func `two nodes share one quota and never pass it together`() async throws {
        let database = try TestDatabase.make()
        try await PostgresUnderTest.run(on: database) { first in
            try await PostgresUnderTest.run(on: database) { second in
                let principal = try await first.principal(
                    quotas: [(.key, .tokens, .total, 3000)], rateLimits: [])
                let charged = try await withThrowingTaskGroup(of: Int64.self) { group in
                    for number in 0..<120 {
                        let test = number % 2 == 0 ? first : second
                        group.addTask {
                            let receipt = try await test.serve(
                                test.request(principal, prompt: 50, completion: 50),
                                using: TokenUsage(prompt: 50, completion: 50))
                            return receipt?.charge.tokens ?? 0
                        }
                    }
                    return try await group.reduce(0, +)
                }
                let used = try await first.used(first.account(principal.quotas[0]))
                #expect(used == charged)
                #expect(charged <= 3000 && charged >= 2000)
                try await expectBalancedBooks(first)
            }
        }
    }

    @Test func `a dead node's open request is settled at its bound by another node`() async throws {
        let database = try TestDatabase.make()
        try await PostgresUnderTest.run(on: database) { dying in
            let principal = try await dying.principal(
                quotas: [(.key, .tokens, .total, 1000)], rateLimits: [])
            guard
                case .admitted(let reservation) = try await dying.ledger.admit(
                    dying.request(principal, prompt: 100, completion: 200))
            else {
                Issue.record("denied")
                return
            }
            #expect(try await dying.ledger.acceptance(of: reservation) == .accepted)
            try await sweep(dying, request: reservation.requestID, of: principal)
            // The fenced node comes back to life and is told so; its client never sees a good end.
            var isToldSo = false
            do {
                _ = try await dying.ledger.settle(
                    reservation,
                    as: Settlement(
                        usage: TokenUsage(prompt: 100, completion: 20), basis: .reported,
                        endState: .finished, timeToFirstToken: nil, duration: .zero))
            } catch { isToldSo = true }
            #expect(isToldSo)
            // What it really used is set right once, by itself.
            let isCorrected = try await eventually {
                try await dying.number("SELECT sum(delta)::int8 FROM usage_adj") == -180
            }
            #expect(isCorrected)
            // It starts anew under another epoch and serves again.
            let again = try await eventually {
                let request = dying.request(principal, prompt: 10, completion: 10)
                let usage = TokenUsage(prompt: 10, completion: 10)
                return (try? await dying.serve(request, using: usage)) != nil
            }
            #expect(again)
            try await expectBalancedBooks(dying)
        }
    }

    /// Lets another node find the dying one silent for an hour, as far as the ledger's clock can
    /// tell: it cannot be told apart from dead.
    private func sweep(
        _ dying: PostgresUnderTest, request: RequestID, of principal: Principal
    ) async throws {
        try await PostgresUnderTest.run(
            on: dying.database,
            change: {
                $0.sweepEvery = .milliseconds(50)
                $0.fenceAfter = .seconds(60)
            }
        ) { other in
            let isSwept = try await eventually {
                // The living node's own beat is kept from hiding its silence.
                try await other.execute(
                    """
                    UPDATE node_lane SET heartbeat_at = now() - interval '1 hour'
                    WHERE node_id = $1
                    """, [.int8(dying.node.node)])
                return try await other.number(
                    "SELECT charged FROM usage WHERE request_id = $1 AND basis = 4",
                    [.uuid(request.rawValue)]) == 300
            }
            #expect(isSwept)
            let isReleased = try await eventually {
                try await other.number("SELECT granted - used FROM account") == 0
            }
            #expect(isReleased)
            #expect(try await other.used(other.account(principal.quotas[0])) == 300)
            try await expectBalancedBooks(other)
        }
    }

    @Test
    func `a node that was killed settles its own open requests at their bound when it is back`()
        async throws
    {
        let database = try TestDatabase.make()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "node-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        // What a kill leaves behind, written as the dead process would have: a live lane, a lease,
        // an open request.
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try "77\n".write(
            to: folder.appendingPathComponent("node-id"), atomically: true, encoding: .utf8)
        let connection = try database.connection()
        let shard = OrganizationID.default.shard.rawValue
        try connection.execute(
            script: """
                INSERT INTO node_lane (shard, node_id, epoch)
                VALUES (\(shard), 77, '11111111-1111-1111-1111-111111111111');
                INSERT INTO account (shard, account_id, organization_id, subject_kind, subject_id,
                    resource, period, period_start, limit_units, cap, granted)
                VALUES (\(shard), 5, 1, 3, 9, 1, 3, '1970-01-01', 1000, 1000, 500);
                INSERT INTO lease (shard, lease_id, account_id, node_id, epoch, granted, reserved)
                VALUES (\(shard), 6, 5, 77, '11111111-1111-1111-1111-111111111111', 500, 120);
                INSERT INTO reservation (shard, request_id, node_id, epoch, key_id, model_id,
                    backend_id, prompt_bound, completion_bound, cost_bound_nanousd, lease_ids,
                    account_ids, units, admitted_at)
                VALUES (\(shard), '22222222-2222-2222-2222-222222222222', 77,
                    '11111111-1111-1111-1111-111111111111', 1, 1, 1, 20, 100, 0, '{6}', '{5}',
                    '{120}', now());
                """)
        connection.close()
        try await PostgresUnderTest.run(on: database, folder: folder.path) { test in
            #expect(test.node.node == 77)
            let isReady = try await eventually { test.node.isReady }
            #expect(isReady)
            #expect(try await test.number("SELECT charged FROM usage WHERE basis = 4") == 120)
            #expect(try await test.number("SELECT count(*) FROM reservation") == 0)
            #expect(
                try await test.number("SELECT granted FROM account WHERE account_id = 5") == 120)
            #expect(try await test.number("SELECT used FROM account WHERE account_id = 5") == 120)
        }
    }

    @Test func `one folder serves one process at a time`() async throws {
        let database = try TestDatabase.make()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "node-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await PostgresUnderTest.run(on: database, folder: folder.path) { _ in
            await #expect(throws: LedgerStartError.self) {
                try await PostgresUnderTest.run(on: database, folder: folder.path) { _ in }
            }
        }
    }

    @Test func `connections cut in the middle of everything lose nothing and double nothing`()
        async throws
    {
        let database = try TestDatabase.make()
        try await PostgresUnderTest.run(on: database) { test in
            let principal = try await test.principal(
                quotas: [(.key, .tokens, .total, 1_000_000)], rateLimits: [])
            let charged = try await withThrowingTaskGroup(of: Int64.self) { group in
                for number in 0..<200 as Range<Int64> {
                    group.addTask {
                        // A fault is allowed here; a loss is not.
                        do {
                            let receipt = try await test.serve(
                                test.request(principal, prompt: 10, completion: 90),
                                using: TokenUsage(prompt: 10, completion: number % 90))
                            return receipt?.charge.tokens ?? 0
                        } catch is LedgerFault {
                            return 0
                        }
                    }
                }
                group.addTask {
                    for _ in 0..<15 {
                        try await test.execute(
                            """
                            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                            WHERE datname = current_database() AND pid <> pg_backend_pid()
                            """)
                        await Task.yield()
                    }
                    return 0
                }
                return try await group.reduce(0, +)
            }
            let account = test.account(principal.quotas[0])
            let isSettled = try await eventually {
                try await test.number("SELECT count(*) FROM reservation") == 0
            }
            #expect(isSettled)
            // An end may be released while its batch is still on the way.
            let isCharged = try await eventually { try await test.used(account) >= charged }
            #expect(isCharged)
            try await expectBalancedBooks(test)
        }
    }
}
