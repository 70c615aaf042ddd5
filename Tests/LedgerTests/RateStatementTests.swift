import Domain
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// The one statement that decides about rates, against the same arithmetic in Swift.
@Suite struct RateStatementTests {
    private static let shard = OrganizationID.default.shard.rawValue
    private let bucket = RateBucket(
        subject: Subject(kind: .key, id: 42), dimension: .tokensPerMinute)

    private final class StillClock: TimeSource {
        var wall: Timestamp { Timestamp(microseconds: 0) }
        var uptime: Uptime { Uptime(microseconds: 5) }
    }

    private func setLimit(_ limit: Int64, _ connection: PostgresConnection) throws {
        _ = try connection.execute(
            PostgresCommand(
                PostgresStatement(
                    name: nil,
                    sql: """
                        INSERT INTO rate_limit (shard, organization_id, subject_kind, subject_id,
                            dimension, limit_units) VALUES ($1, 1, 3, 42, 2, $2)
                        ON CONFLICT (shard, subject_kind, subject_id, dimension)
                        DO UPDATE SET limit_units = EXCLUDED.limit_units
                        """), [.int2(Self.shard), .int8(limit)]))
    }

    /// Carries out one order, and what its reply should be by the row as it was before.
    private func ask(
        _ order: RateOrder, _ connection: PostgresConnection
    ) throws -> RateReply {
        let clerk = RateClerk(shard: Self.shard, clock: LedgerClock(StillClock()))
        let replies = try clerk.carryOut([order], connection)
        #expect(replies.count == 1 && replies[0].0 == order)
        return replies[0].1
    }

    private func order(_ want: Int64, least: Int64 = 1, credit: Int64 = 0) -> RateOrder {
        RateOrder(bucket: bucket, want: want, least: least, credit: credit)
    }

    private func granted(_ reply: RateReply) -> Int64? {
        if case .answered(let granted, _, _, _) = reply { granted } else { nil }
    }

    private func level(_ reply: RateReply) -> Duration {
        if case .answered(_, _, let level, _) = reply { level } else { .zero }
    }

    @Test func `a burst passes once, then what is left, then nothing`() throws {
        let database = try TestDatabase.make()
        let connection = try database.connection()
        // A second of it is less than one cell, so that a slow test sees the same.
        try setLimit(10, connection)
        #expect(granted(try ask(order(6), connection)) == 6)
        #expect(granted(try ask(order(6, least: 6), connection)) == 0)
        #expect(granted(try ask(order(6, least: 1), connection)) == 4)
        let last = try ask(order(1), connection)
        #expect(granted(last) == 0)
        #expect(level(last) <= .seconds(60) && level(last) > .seconds(54))
        withExtendedLifetime(database) {}
    }

    @Test func `a credit frees cells, and never more than were used`() throws {
        let database = try TestDatabase.make()
        let connection = try database.connection()
        try setLimit(10, connection)
        #expect(granted(try ask(order(10), connection)) == 10)
        #expect(granted(try ask(order(5, credit: 3), connection)) == 3)
        #expect(granted(try ask(order(20, credit: 1 << 40), connection)) == 10)
        // A debit after the fact counts as used, up to a whole burst.
        #expect(granted(try ask(order(0, credit: 4), connection)) == 0)
        #expect(granted(try ask(order(4, credit: -3), connection)) == 1)
        #expect(level(try ask(order(0, credit: -500), connection)) == .seconds(60))
        withExtendedLifetime(database) {}
    }

    @Test func `what was used under one limit is as many units of the next`() throws {
        let database = try TestDatabase.make()
        let connection = try database.connection()
        try setLimit(10, connection)
        #expect(granted(try ask(order(5), connection)) == 5)
        try setLimit(20, connection)
        #expect(granted(try ask(order(20), connection)) == 15)
        try setLimit(5, connection)
        let reply = try ask(order(1), connection)
        #expect(granted(reply) == 0)
        #expect(level(reply) == .seconds(60))
        withExtendedLifetime(database) {}
    }

    @Test func `a limit that is gone is told, and a clock set back shuts out for a minute at most`()
        throws
    {
        let database = try TestDatabase.make()
        let connection = try database.connection()
        #expect(try ask(order(1), connection) == .lifted)
        try setLimit(10, connection)
        #expect(granted(try ask(order(1), connection)) == 1)
        _ = try connection.execute(
            PostgresCommand(
                PostgresStatement(
                    name: nil,
                    sql: "UPDATE rate_bucket SET tat_us = tat_us + 86400000000 WHERE shard = $1"),
                [.int2(Self.shard)]))
        let reply = try ask(order(1), connection)
        #expect(granted(reply) == 0)
        #expect(level(reply) == .seconds(60))
        withExtendedLifetime(database) {}
    }

    @Test(arguments: [1, 7, 600, 7_000_000, 1 << 40] as [Int64])
    func `a whole minute passes at once at any limit, and not one more`(limit: Int64) throws {
        let database = try TestDatabase.make()
        let connection = try database.connection()
        try setLimit(limit, connection)
        #expect(granted(try ask(order(limit, least: limit), connection)) == limit)
        let more = granted(try ask(order(limit, least: limit / 2 + 1), connection))
        #expect(more == 0)
        withExtendedLifetime(database) {}
    }
}
