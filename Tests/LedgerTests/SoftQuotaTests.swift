import Domain
import Foundation
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import Ledger

extension Principal {
    /// The same with other quotas.
    func having(_ quotas: [Quota]) -> Principal {
        Principal(
            shard: shard, organization: organization, team: team, key: key, keySubject: keySubject,
            allowedModels: allowedModels, defaultCompletionTokens: defaultCompletionTokens,
            alwaysShowsUsage: alwaysShowsUsage, quotas: quotas, rateLimits: rateLimits)
    }
}

extension Quota {
    /// The same, soft or hard.
    func soft(_ isSoft: Bool) -> Quota {
        Quota(
            subject: subject, resource: resource, period: period, limit: limit,
            ridesOutages: ridesOutages, model: model, isSoft: isSoft)
    }
}

/// Quotas that only warn, in the ledger: they count all that is used and refuse nothing.
@Suite(.serialized, .timeLimit(.minutes(2))) struct SoftQuotaTests {
    private typealias Terms = (Subject.Kind, Resource, Period, Int64)

    /// A principal whose quotas of `soft` subjects are soft, in the ledger too.
    private func principal(
        _ node: PostgresUnderTest, _ quotas: [Terms], soft: Set<Subject.Kind>
    ) async throws -> Principal {
        let hard = try await node.principal(quotas: quotas, rateLimits: [])
        let principal = hard.having(hard.quotas.map { $0.soft(soft.contains($0.subject.kind)) })
        for quota in principal.quotas where quota.isSoft {
            try await node.execute(
                "UPDATE quota SET soft = true WHERE subject_kind = $1 AND subject_id = $2",
                [.int2(quota.subject.kind.rawValue), .int8(quota.subject.id)])
        }
        return principal
    }

    private func serve(
        _ count: Int, _ principal: Principal, _ node: PostgresUnderTest
    ) async throws -> Int {
        var served = 0
        for _ in 0..<count {
            let request = node.request(principal, prompt: 50, completion: 50)
            let receipt = try await node.serve(
                request, using: TokenUsage(prompt: 10, completion: 10))
            if receipt != nil { served += 1 }
        }
        return served
    }

    /// As `turnpike admin quota set` does it.
    private func set(_ quota: Quota, _ node: PostgresUnderTest) async throws {
        try await node.run { connection throws(PostgresError) in
            let owner = AllowanceStatements.Owner(
                OrganizationID.default.shard, .default, quota.subject)
            let change = AllowanceChange.setQuota(
                quota.resource, quota.period, limit: quota.limit, isSoft: quota.isSoft)
            _ = try connection.execute(AllowanceStatements.store(change, owner))
            if let tell = AllowanceStatements.tellAccount(change, owner) {
                _ = try connection.execute(tell)
            }
        }
    }

    private func events(
        _ nodes: [PostgresUnderTest]
    ) throws -> [PostgresEventLedger] {
        try nodes.map { node in
            var settings = LedgerSettings(
                databaseURL: node.database.url, dataDirectory: "", models: [], backends: [],
                prices: [:])
            settings.usesPreparedStatements = TestDatabase.ownsSessions
            return try PostgresEventLedger(
                settings, of: node.node, webhooks: [], time: SystemTime(),
                random: LedgerRandom { .random(in: 0 ... .max) }, logger: .quiet)
        }
    }

    /// The charges of a race, as its clients know them, and what others than their keys' quotas have
    /// refused.
    private final class Tally: Sendable {
        let tokens = Mutex<Int64>(0)
        let denials = Mutex<[Denial]>([])
    }

    /// Sends requests of 100 tokens at most, until one is refused for good or `most` are served.
    private func race(
        _ principal: Principal, _ node: PostgresUnderTest, most: Int, seed: UInt64, _ tally: Tally
    ) async throws {
        var random = SplitMix(seed: seed)
        for _ in 0..<most {
            let request = node.request(principal, prompt: 20, completion: 80)
            switch try await node.ledger.admit(request) {
            case .denied(let denial):
                if denial.subject.kind != .key { tally.denials.withLock { $0.append(denial) } }
                if denial.reason == .quotaExhausted { return }
                for _ in 0..<20 { await Task.yield() }
            case .admitted(let reservation):
                #expect(try await node.ledger.acceptance(of: reservation) == .accepted)
                let usage = TokenUsage(prompt: 20, completion: Int64(random.below(81)))
                let receipt = try await node.ledger.settle(
                    reservation,
                    as: Settlement(
                        usage: usage, basis: .reported, endState: .finished,
                        timeToFirstToken: nil, duration: .zero))
                tally.tokens.withLock { $0 += receipt.charge.tokens }
            }
        }
    }

    @Test func `beside a hard one on many nodes: the hard is exact, the soft refuses nothing`()
        async throws
    {
        try await NodesUnderTest.run(4) { test in
            let limit: Int64 = 4_000
            let both = try await principal(
                test[0], [(.key, .tokens, .total, limit), (.organization, .tokens, .day, 3_000)],
                soft: [.organization])
            let free = try await principal(
                test[0], [(.organization, .tokens, .day, 3_000)], soft: [.organization])
            let ledgers = try events(test.nodes)
            let (hard, soft) = (Tally(), Tally())
            try await withThrowingTaskGroup(of: Void.self) { group in
                for client in 0..<64 {
                    let node = test[client % 4]
                    group.addTask {
                        try await race(both, node, most: .max, seed: UInt64(client), hard)
                    }
                    group.addTask {
                        try await race(free, node, most: 4, seed: UInt64(client) + 99, soft)
                    }
                }
                for ledger in ledgers {
                    group.addTask {
                        for _ in 0..<5 {
                            try await ledger.noteSettled()
                            try await ledger.review()
                        }
                    }
                }
                try await group.waitForAll()
            }
            for ledger in ledgers { try await ledger.noteSettled() }
            // The hard one: never beyond its limit, and nothing but it has refused anything.
            let used = try await test[0].used(test[0].account(both.quotas[0]))
            #expect(used <= limit && used > limit - 100)
            #expect(used == hard.tokens.withLock { $0 })
            #expect(hard.denials.withLock { $0 }.isEmpty)
            #expect(soft.denials.withLock { $0 }.isEmpty)
            // The soft one: everything that anybody used, far beyond its limit.
            let all = hard.tokens.withLock { $0 } + soft.tokens.withLock { $0 }
            #expect(all > 3_000)
            #expect(try await test[0].used(test[0].account(both.quotas[1])) == all)
            #expect(
                try await test[0].rows(
                    """
                    SELECT threshold_percent::int8, count(*) FROM quota_event
                    WHERE soft GROUP BY threshold_percent ORDER BY threshold_percent
                    """) == [[80, 1], [100, 1]])
            #expect(
                try await test[0].number("SELECT count(*) FROM quota_event WHERE NOT soft") ?? 0
                    <= 2)
            #expect(try await test[0].number(LedgerNodeTests.audit) == 0)
        }
    }

    @Test func `answers warn of it, and are not told that it limits anything`() async throws {
        try await NodesUnderTest.run(2) { test in
            let principal = try await principal(
                test[0], [(.team, .requests, .day, 10), (.key, .tokens, .day, 100_000)],
                soft: [.team])
            #expect(try await serve(7, principal, test[0]) == 7)
            #expect(test[0].ledger.standing(of: principal, for: "demo").warnings.isEmpty)
            #expect(try await serve(5, principal, test[1]) == 5)
            for node in test.nodes {
                let isTold = try await eventually {
                    node.ledger.standing(of: principal, for: "demo").warnings.first?.percent == 120
                }
                #expect(isTold)
                let standing = node.ledger.standing(of: principal, for: "demo")
                #expect(standing.warnings.map(\.quota.isSoft) == [true])
                #expect(standing.requests == nil && standing.tokens?.limit == 100_000)
            }
        }
    }

    @Test func `a request larger than all of it passes, and takes no share of its key`()
        async throws
    {
        try await PostgresUnderTest.run { node in
            let principal = try await principal(
                node, [(.team, .tokens, .day, 10)], soft: [.team])
            #expect(try await serve(3, principal, node) == 3)
            #expect(try await node.used(node.account(principal.quotas[0])) == 60)
        }
    }

    @Test func `hard from one moment to the next it is exact, and soft again it lets through`()
        async throws
    {
        try await NodesUnderTest.run(2) { test in
            let soft = try await principal(
                test[0], [(.team, .requests, .total, 10)], soft: [.team])
            let hard = soft.having([soft.quotas[0].soft(false)])
            for node in test.nodes { #expect(try await serve(4, soft, node) == 4) }
            try await set(hard.quotas[0], test[0])
            // Eight are used; both nodes still hold slices beyond any limit.
            func tries() async throws -> Int {
                var served = 0
                for round in 0..<6 { served += try await serve(1, hard, test[round % 2]) }
                return served
            }
            var served = try await tries()
            #expect(served <= 2)
            let isUsed = try await eventually {
                if served < 2 { served += try await serve(1, hard, test[0]) }
                return served == 2
            }
            #expect(isUsed)
            #expect(try await tries() == 0)
            #expect(try await test[0].used(test[0].account(hard.quotas[0])) == 10)
            try await set(soft.quotas[0], test[0])
            for node in test.nodes { #expect(try await serve(3, soft, node) == 3) }
            #expect(try await test[0].used(test[0].account(hard.quotas[0])) == 16)
            #expect(try await test[0].number(LedgerNodeTests.audit) == 0)
        }
    }

    @Test func `one that was taken away refuses nobody whose gateway has not heard of it`()
        async throws
    {
        try await NodesUnderTest.run(2) { test in
            let principal = try await principal(
                test[0], [(.team, .requests, .total, 10)], soft: [.team])
            #expect(try await serve(1, principal, test[0]) == 1)
            let owner = AllowanceStatements.Owner(
                OrganizationID.default.shard, .default, principal.quotas[0].subject)
            let clear = AllowanceChange.clearQuota(.requests, .total)
            try await test[0].run { connection throws(PostgresError) in
                _ = try connection.execute(AllowanceStatements.store(clear, owner))
                guard let tell = AllowanceStatements.tellAccount(clear, owner) else { return }
                _ = try connection.execute(tell)
            }
            #expect(try await serve(5, principal, test[1]) == 5)
            #expect(try await serve(5, principal, test[0]) == 5)
        }
    }

    @Test func `while the ledger is away it counts on, and without a slice it is passed over`()
        async throws
    {
        let database = try TestDatabase.make()
        try await PostgresUnderTest.run(on: database) { node in
            let known = try await principal(
                node, [(.key, .tokens, .total, 100), (.team, .requests, .total, 5)],
                soft: [.key, .team])
            let unknown = try await principal(
                node, [(.key, .tokens, .total, 100)], soft: [.key])
            #expect(try await serve(2, known, node) == 2)
            try database.takeAway()
            let isAway = try await eventually { !node.node.isReady }
            #expect(isAway)
            #expect(try await serve(10, known, node) == 10)
            #expect(try await serve(3, unknown, node) == 3)
            try database.bringBack()
            let isBack = try await eventually { node.node.isReady }
            #expect(isBack)
            let areRecorded = try await eventually {
                try await node.number("SELECT count(*) FROM usage") == 15
            }
            #expect(areRecorded)
            #expect(try await node.used(node.account(known.quotas[0])) == 12 * 20)
            #expect(try await node.used(node.account(known.quotas[1])) == 12)
            #expect(try await node.used(node.account(unknown.quotas[0])) == 0)
            #expect(try await serve(1, unknown, node) == 1)
            #expect(try await node.used(node.account(unknown.quotas[0])) == 20)
            #expect(try await node.number(LedgerNodeTests.audit) == 0)
        }
    }
}
