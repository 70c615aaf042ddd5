import Domain
import Postgres
import TestSupport
import Testing

@testable import Ledger

@Suite struct DirectoryQuotaTests {
    @Test func `a quota is set, changed and cleared`() throws {
        let fixture = try DirectoryFixture()
        let subject = Subject(kind: .team, id: fixture.team.id.rawValue)
        func quota(_ limit: Int64) -> Quota {
            Quota(subject: subject, resource: .tokens, period: .day, limit: limit)
        }
        let (store, owner) = (fixture.store, fixture.organization)
        try store.setQuota(quota(10), organization: owner)
        try store.setQuota(quota(20), organization: owner)
        #expect(try store.quotas.list(subject, organization: owner) == [quota(20)])
        #expect(try store.clearQuota(subject, .tokens, .day, organization: owner))
        #expect(try store.clearQuota(subject, .tokens, .day, organization: owner) == false)
        #expect(try store.quotas.list(subject, organization: owner) == [])
    }

    @Test func `a quota rides outages unless told otherwise, and keeps what it was told`() throws {
        let fixture = try DirectoryFixture()
        let subject = try usedQuota(fixture, limit: 100, granted: 60, used: 10)
        func set(_ period: Period, _ rides: Bool?) throws -> [Bool] {
            _ = try fixture.store.apply(
                [.setQuota(.tokens, period, limit: 7, ridesOutages: rides)], subject: subject,
                organization: fixture.organization)
            let quotas = try fixture.store.quotas.list(
                subject, organization: fixture.organization)
            #expect(quotas.allSatisfy { $0.period != period || $0.limit == 7 })
            return quotas.map(\.ridesOutages)
        }
        func accountRides() throws -> Bool {
            try fixture.rows("SELECT ride FROM account")[0].bool(0)
        }
        #expect(try set(.day, nil) == [true])
        #expect(try set(.day, false) == [false])
        #expect(try !accountRides())
        #expect(try set(.day, nil) == [false])
        #expect(try set(.month, nil) == [false, true])
        #expect(try set(.total, false) == [false, true, false])
        #expect(try set(.day, true) == [true, true, false])
        #expect(try accountRides())
    }

    @Test func `a quota that nobody has used yet shows zeros and its end`() throws {
        let fixture = try DirectoryFixture()
        let subject = Subject(kind: .organization, id: fixture.organization.id.rawValue)
        let now = try fixture.store.time()
        for period in Period.allCases {
            try fixture.store.setQuota(
                Quota(subject: subject, resource: .requests, period: period, limit: 7),
                organization: fixture.organization)
        }
        let status = try fixture.store.quotas.status(subject, organization: fixture.organization)
        #expect(status.map(\.quota.period) == [.day, .month, .total])
        for row in status {
            #expect(row.used == 0 && row.reserved == 0 && row.leased == 0 && row.left == 7)
            #expect(row.resetsAt == row.quota.period.end(of: row.quota.period.start(at: now)))
        }
    }

    @Test func `the running numbers are the account's and all its leases'`() throws {
        let fixture = try DirectoryFixture()
        let subject = try usedQuota(fixture, limit: 100, granted: 60, used: 10)
        _ = try fixture.rows(
            """
            INSERT INTO lease (shard, lease_id, account_id, node_id, epoch, granted, reserved,
                settled)
            VALUES (229, 1, 4711, 1, gen_random_uuid(), 30, 5, 7),
                (229, 2, 4711, 2, gen_random_uuid(), 20, 1, 2)
            """)
        let status = try fixture.store.quotas.status(
            subject, organization: fixture.organization)[0]
        #expect(status.used == 10 + 7 + 2)
        #expect(status.reserved == 6)
        #expect(status.leased == 30 - 12 + 20 - 3)
        #expect(status.left == 100 - 19 - 6)
    }

    @Test func `a changed limit reaches the account of the current period and never fails`() throws
    {
        let fixture = try DirectoryFixture()
        let subject = try usedQuota(fixture, limit: 100, granted: 60, used: 10)
        for (limit, cap) in [(200, 200), (20, 60), (0, 60), (70, 70)] as [(Int64, Int64)] {
            try fixture.store.setQuota(
                Quota(subject: subject, resource: .tokens, period: .day, limit: limit),
                organization: fixture.organization)
            let row = try fixture.rows("SELECT limit_units, cap, granted FROM account")[0]
            #expect(try row.int8(0) == limit)
            #expect(try row.int8(1) == cap)
            #expect(try row.int8(2) == 60)
        }
        #expect(try fixture.rows("SELECT recall_gen FROM account")[0].int8(0) == 4)
    }

    @Test func `the account of another period keeps its limit`() throws {
        let fixture = try DirectoryFixture()
        let subject = try usedQuota(fixture, limit: 100, granted: 60, used: 10)
        _ = try fixture.rows("UPDATE account SET period_start = period_start - 1")
        try fixture.store.setQuota(
            Quota(subject: subject, resource: .tokens, period: .day, limit: 5),
            organization: fixture.organization)
        #expect(try fixture.rows("SELECT limit_units FROM account")[0].int8(0) == 100)
    }

    @Test func `clearing a quota closes its account, and setting it again opens it`() throws {
        let fixture = try DirectoryFixture()
        let subject = try usedQuota(fixture, limit: 100, granted: 60, used: 10)
        func isClosed() throws -> Bool {
            try fixture.rows("SELECT closed_at IS NOT NULL FROM account")[0].bool(0)
        }
        #expect(
            try fixture.store.clearQuota(
                subject, .tokens, .day, organization: fixture.organization))
        #expect(try isClosed())
        try fixture.store.setQuota(
            Quota(subject: subject, resource: .tokens, period: .day, limit: 100),
            organization: fixture.organization)
        #expect(try !isClosed())
    }

    @Test func `several changes are made together or not at all`() throws {
        let fixture = try DirectoryFixture()
        let subject = Subject(kind: .team, id: fixture.team.id.rawValue)
        let done = try fixture.store.apply(
            [
                .setQuota(.cost, .month, limit: 5), .setRateLimit(.tokensPerMinute, limit: 6),
                .clearRateLimit(.concurrentRequests),
            ], subject: subject, organization: fixture.organization)
        #expect(done == [true, true, false])
        #expect(throws: LedgerError.self) {
            try fixture.store.apply(
                [.clearQuota(.cost, .month), .setRateLimit(.tokensPerMinute, limit: 0)],
                subject: subject, organization: fixture.organization)
        }
        #expect(
            try fixture.store.quotas.list(subject, organization: fixture.organization).count == 1)
        #expect(
            try fixture.store.rateLimits.list(subject, organization: fixture.organization)
                == [RateLimit(subject: subject, dimension: .tokensPerMinute, limit: 6)])
    }

    /// A quota of tokens per day with an account in use; returns its subject.
    private func usedQuota(
        _ fixture: DirectoryFixture, limit: Int64, granted: Int64, used: Int64
    ) throws -> Subject {
        let subject = Subject(kind: .team, id: fixture.team.id.rawValue)
        try fixture.store.setQuota(
            Quota(subject: subject, resource: .tokens, period: .day, limit: limit),
            organization: fixture.organization)
        _ = try fixture.rows(
            """
            INSERT INTO account (shard, account_id, organization_id, subject_kind, subject_id,
                resource, period, period_start, limit_units, cap, granted, used)
            VALUES (229, 4711, 1, 2, \(subject.id), 1, 1, (now() AT TIME ZONE 'UTC')::date,
                \(limit), \(limit), \(granted), \(used))
            """)
        return subject
    }
}
