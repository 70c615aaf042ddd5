import Domain
import Logging
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// A promoted ledger, which may have forgotten what it granted, grants nothing before every node
/// that lives has compared what it holds. A promotion is made here by what it leaves behind: lanes
/// of an earlier timeline.
@Suite(.serialized) struct FailoverComparisonTests {
    private static let shard = OrganizationID.default.shard.rawValue
    private let lanes = (1...2).map {
        LaneKey(shard: Self.shard, node: Int64($0), epoch: UInt128($0))
    }
    private let accounts = (1...2).map { number in
        AccountKey(
            subject: Subject(kind: .team, id: Int64(number)), resource: .tokens, period: .total,
            start: CalendarDay(rawValue: 0))
    }

    @Test func `nobody is granted anything while a node that moved lately has not compared itself`()
        throws
    {
        let fixture = try ledger(timelines: [1, 7])
        let connection = fixture.store.connection
        let clerk = LeaseClerk(lane: lanes[0], fenceAfter: .seconds(60)) { 11 }
        let order = LeaseOrder(
            account: accounts[0], lease: LeaseID(rawValue: 1), accountID: nil, limit: 100,
            refreshesLimit: false, grantedBefore: 0, mayRecall: false, rides: false,
            action: .grow(want: 10, least: 10))
        func answer() -> Result<LeaseReply, PostgresError> {
            Result { () throws(PostgresError) in
                try clerk.carryOut(order, isRepeated: false, connection)
            }
        }
        #expect(throws: PostgresError.self) { try answer().get() }
        guard case .failure(let error) = answer() else { return }
        #expect(error.isUnconfirmedGrants && error.isRetryable)
        // Not even an account is made, which another node may know under a number of its own.
        #expect(try fixture.rows("SELECT 1 FROM account").isEmpty)
        _ = try connection.execute(TimelineStatements.confirm(lanes[1], timeline: 1))
        guard case .granted(_, size: 10, remaining: 90, _) = try answer().get() else {
            Issue.record("not granted: \(answer())")
            return
        }
        // Nobody waits for the dead.
        try fixture.execute(
            "UPDATE node_lane SET timeline = 7, heartbeat_at = now() - interval '2 minutes' WHERE node_id = 2"
        )
        guard case .granted(_, size: 20, remaining: 80, _) = try answer().get() else {
            Issue.record("not granted: \(answer())")
            return
        }
    }

    /// Units went from each node to the other, and were spent: the promoted server knows neither.
    @Test
    func `two nodes that hold each other's units by the ledger's word both get what they spent`()
        throws
    {
        let fixture = try ledger(timelines: [7, 7])
        let connection = fixture.store.connection
        // Node 1 holds all of the first account, node 2 all of the second.
        for (number, account) in accounts.enumerated() {
            let lane = lanes[number]
            _ = try connection.execute(
                GrowStatement.ensure(
                    shard: Self.shard, account: account, candidate: Int64(number) + 1))
            let grow = GrowStatement.grow(
                lane, account: AccountID(rawValue: Int64(number) + 1),
                lease: LeaseID(rawValue: Int64(number) + 1), want: 100, least: 100, rides: false)
            #expect(try connection.execute(grow).rows.count == 1)
            _ = try connection.execute(LaneStatements.fence(lane, silentFor: .zero))
        }
        // Each has spent 60 of the other's and 30 of its own.
        let records = (0..<2).map { node in
            (0..<2).map { number in
                record(
                    node: node, account: number, tokens: node == number ? 30 : 60)
            }
        }
        func book(_ node: Int) throws {
            let booking = LateBooking(
                shard: Self.shard, node: Int64(node) + 1, lost: lanes[node],
                fenceAfter: .seconds(60), logger: .quiet)
            #expect(try booking.run(records[node], connection).isEmpty)
        }
        // The first finds no room while the second has not looked; but it leaves what it has not.
        #expect(throws: PostgresError.self) { try book(0) }
        try book(1)
        try book(0)
        let charges = try fixture.rows(
            "SELECT charges[1] FROM usage WHERE cardinality(charges) = 1"
        )
        .map { try $0.int8(0) }
        #expect(charges.sorted() == [30, 30, 60, 60])
        #expect(try fixture.rows("SELECT 1 FROM account WHERE granted > 100").isEmpty)
    }

    @Test func `a node that has lost nothing is confirmed and goes on under its epoch`()
        async throws
    {
        try await PostgresUnderTest.run { node in
            let principal = try await node.principal(
                quotas: [(.key, .tokens, .total, 1_000_000)], rateLimits: [])
            #expect(try await node.isServed(principal))
            let epoch = "SELECT ('x' || left(epoch::text, 8))::bit(32)::int8 FROM node_lane"
            let before = try await node.number(epoch)
            try await node.execute("UPDATE node_lane SET timeline = 7")
            let isConfirmed = try await eventually {
                try await node.number("SELECT timeline FROM node_lane") == 1
            }
            #expect(isConfirmed)
            #expect(try await node.isServed(principal))
            #expect(try await node.number(epoch) == before)
        }
    }

    @Test(arguments: [-1, 1]) func `a node whose lease is not what it holds starts anew`(
        _ sign: Int
    ) async throws {
        try await PostgresUnderTest.run { node in
            let principal = try await node.principal(
                quotas: [(.key, .tokens, .total, 1_000_000)], rateLimits: []
            ).riding(false)
            #expect(try await node.isServed(principal))
            let isSettled = try await eventually {
                try await node.number("SELECT count(*) FROM reservation") == 0
            }
            #expect(isSettled)
            let (epoch, timeline) = (
                "SELECT ('x' || left(epoch::text, 8))::bit(32)::int8 FROM node_lane",
                "SELECT timeline FROM node_lane"
            )
            let before = try await node.number(epoch)
            // Grown by an order that the standby has not heard of, or smaller by one.
            try await node.execute(
                """
                WITH l AS (UPDATE lease SET granted = granted + \(sign) RETURNING 1),
                    a AS (UPDATE account SET granted = granted + \(sign) RETURNING 1)
                UPDATE node_lane SET timeline = 7
                WHERE (SELECT count(*) FROM l) + (SELECT count(*) FROM a) > 0
                """)
            let isAnew = try await eventually {
                let (now, confirmed) = (
                    try await node.number(epoch), try await node.number(timeline)
                )
                return now != before && confirmed == 1
            }
            #expect(isAnew)
            let isServed = try await eventually { (try? await node.isServed(principal)) ?? false }
            #expect(isServed)
        }
    }

    // MARK: Setting up

    /// Two live lanes, and a quota of 100 tokens for each account.
    private func ledger(timelines: [Int64]) throws -> DirectoryFixture {
        let fixture = try DirectoryFixture()
        for (lane, timeline) in zip(lanes, timelines) {
            _ = try fixture.store.connection.execute(
                LaneStatements.insert(lane, timeline: timeline))
        }
        for account in accounts {
            try fixture.execute(
                """
                INSERT INTO quota (shard, organization_id, subject_kind, subject_id, resource,
                    period, limit_units)
                VALUES (\(Self.shard), 1, \(account.subject.kind.rawValue), \(account.subject.id),
                    \(account.resource.rawValue), \(account.period.rawValue), 100)
                """)
        }
        _ = try fixture.store.connection.execute(PartitionStatement.command)
        return fixture
    }

    /// A request of a node that ended, and that the ledger does not know.
    private func record(node: Int, account: Int, tokens: Int64) -> LateRecord {
        // The lease that it spent: its own, which the ledger has, or one that was lost.
        let lease = node == account ? account + 1 : 10 + node
        let opening = Opening(
            requestID: RequestID(rawValue: UInt128(node * 2 + account + 1)),
            key: KeyID(shard: Shard(rawValue: Self.shard), random: 11), modelNumber: 3,
            backendNumber: 4, price: nil, bound: TokenBound(prompt: tokens - 1, completion: 1),
            claims: [
                Claim(
                    account: accounts[account],
                    accountID: AccountID(rawValue: Int64(account) + 1),
                    lease: LeaseID(rawValue: Int64(lease)), units: tokens)
            ],
            admittedAt: SystemTime().wall)
        return LateRecord(
            opening,
            settled: Settlement(
                usage: TokenUsage(prompt: tokens - 1, completion: 1), basis: .reported,
                endState: .finished, timeToFirstToken: nil, duration: .zero))
    }
}

extension DirectoryFixture {
    fileprivate func execute(_ sql: String) throws { _ = try rows(sql) }
}
