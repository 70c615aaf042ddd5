import Domain
import Foundation
import Ledger
import Postgres
import TestSupport
import Testing

/// Rate limits that the nodes of one ledger share.
@Suite(.serialized) struct LedgerRateTests {
    /// Three nodes of one ledger that know of each other.
    private func withThreeNodes(
        isolation: String = "read committed", _ body: ([PostgresUnderTest]) async throws -> Void
    ) async throws {
        let database = try TestDatabase.make()
        let connection = try database.connection()
        let name = try connection.execute(
            PostgresCommand(
                PostgresStatement(name: nil, sql: "SELECT current_database()"), [])
        ).rows[0].text(0)
        try connection.execute(
            script: """
                ALTER DATABASE \(name) SET default_transaction_isolation = '\(isolation)'
                """)
        connection.close()
        try await PostgresUnderTest.run(on: database) { first in
            try await PostgresUnderTest.run(on: database) { second in
                try await PostgresUnderTest.run(on: database) { third in
                    let nodes = [first, second, third]
                    let areLive = try await eventually {
                        try await first.number("SELECT count(*) FROM node_lane WHERE live") == 3
                            && nodes.allSatisfy(\.node.isReady)
                    }
                    #expect(areLive)
                    try await body(nodes)
                }
            }
        }
    }

    /// Sends `count` requests over all nodes at once; how many passed.
    private func flood(
        _ nodes: [PostgresUnderTest], _ principal: Principal, count: Int, tokens: Int64
    ) async throws -> Int {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<count {
                let test = nodes[number % nodes.count]
                group.addTask {
                    let request = test.request(principal, prompt: 1, completion: tokens - 1)
                    guard case .admitted(let reservation) = try await test.ledger.admit(request)
                    else { return 0 }
                    _ = try await test.ledger.settle(
                        reservation,
                        as: Settlement(
                            usage: TokenUsage(prompt: 1, completion: tokens - 1), basis: .reported,
                            endState: .finished, timeToFirstToken: nil, duration: .zero))
                    return 1
                }
            }
            return try await group.reduce(0, +)
        }
    }

    @Test(arguments: ["read committed", "serializable"])
    func `three nodes pass a small limit once together, not once each`(
        isolation: String
    ) async throws {
        try await withThreeNodes(isolation: isolation) { nodes in
            let principal = try await nodes[0].principal(
                quotas: [], rateLimits: [(.requestsPerMinute, 30)])
            let began = ContinuousClock.now
            let passed = try await flood(nodes, principal, count: 120, tokens: 10)
            let seconds = Double((ContinuousClock.now - began).components.seconds + 1)
            #expect(passed >= 30)
            #expect(Double(passed) <= 30 + 0.5 * (seconds + 1), "\(passed) in \(seconds) s")
            for test in nodes {
                let request = test.request(principal, prompt: 1, completion: 1)
                guard let denial = try await test.denial(of: request) else { continue }
                #expect(denial.reason == .rateLimited(.requestsPerMinute))
                let wait = denial.retryAfter ?? .zero
                #expect(wait > .zero && wait <= .seconds(2))
            }
        }
    }

    @Test func `three nodes stay within a burst and the rate of a large limit`() async throws {
        try await withThreeNodes { nodes in
            let limit: Int64 = 600
            let principal = try await nodes[0].principal(
                quotas: [], rateLimits: [(.requestsPerMinute, limit), (.tokensPerMinute, 1 << 30)])
            let began = ContinuousClock.now
            var passed = 0
            for _ in 0..<4 {
                passed += try await flood(nodes, principal, count: 300, tokens: 10)
            }
            let seconds = Double((ContinuousClock.now - began).components.seconds + 1)
            #expect(passed >= 600)
            #expect(Double(passed) <= 600 + 10 * (seconds + 1), "\(passed) in \(seconds) s")
        }
    }

    @Test func `tokens that one node did not use pass at another`() async throws {
        try await withThreeNodes { nodes in
            let principal = try await nodes[0].principal(
                quotas: [], rateLimits: [(.tokensPerMinute, 1000)])
            guard
                case .admitted(let reservation) = try await nodes[0].ledger.admit(
                    nodes[0].request(principal, prompt: 100, completion: 800))
            else {
                Issue.record("denied")
                return
            }
            let large = nodes[1].request(principal, prompt: 100, completion: 600)
            #expect(
                try await nodes[1].denial(of: large)?.reason == .rateLimited(.tokensPerMinute))
            _ = try await nodes[0].ledger.settle(
                reservation,
                as: Settlement(
                    usage: TokenUsage(prompt: 100, completion: 10), basis: .reported,
                    endState: .finished, timeToFirstToken: nil, duration: .zero))
            let passes = try await eventually {
                try await nodes[1].denial(
                    of: nodes[1].request(principal, prompt: 100, completion: 600)) == nil
            }
            #expect(passes)
        }
    }

    @Test func `a limit that is raised counts at once, and what was used of it stays used`()
        async throws
    {
        try await PostgresUnderTest.run { test in
            let principal = try await test.principal(
                quotas: [], rateLimits: [(.requestsPerMinute, 3)])
            #expect(try await flood([test], principal, count: 6, tokens: 5) == 3)
            try await test.execute("UPDATE rate_limit SET limit_units = 10")
            let raised = Principal(
                shard: principal.shard, organization: principal.organization, team: principal.team,
                key: principal.key, keySubject: principal.keySubject, allowedModels: nil,
                defaultCompletionTokens: nil, alwaysShowsUsage: false, quotas: [],
                rateLimits: [
                    RateLimit(
                        subject: principal.rateLimits[0].subject, dimension: .requestsPerMinute,
                        limit: 10)
                ])
            #expect(try await flood([test], raised, count: 20, tokens: 5) == 7)
        }
    }

    @Test func `a flood on an exhausted limit does not become a flood of queries`() async throws {
        try await PostgresUnderTest.run { test in
            let principal = try await test.principal(
                quotas: [], rateLimits: [(.requestsPerMinute, 2)])
            _ = try await flood([test], principal, count: 4, tokens: 5)
            let before = try await updates(test)
            for _ in 0..<2000 {
                let request = test.request(principal, prompt: 1, completion: 1)
                #expect(try await test.denial(of: request) != nil)
            }
            #expect(try await updates(test) - before <= 1)
        }
    }

    /// How often a bucket was written to, as the row itself tells: every write is a row version.
    private func updates(_ test: PostgresUnderTest) async throws -> Int64 {
        try await test.execute("SELECT pg_stat_force_next_flush()")
        return try await test.number(
            "SELECT pg_stat_get_tuples_updated('rate_bucket'::regclass)") ?? 0
    }

    @Test func `without the ledger a node passes its part of the rate, and says so afterwards`()
        async throws
    {
        let database = try TestDatabase.make()
        try await PostgresUnderTest.run(on: database) { test in
            let principal = try await test.principal(
                quotas: [], rateLimits: [(.requestsPerMinute, 20)])
            #expect(try await flood([test], principal, count: 5, tokens: 5) == 5)
            try database.takeAway()
            let isAway = try await eventually { !test.node.isReady }
            #expect(isAway)
            let began = ContinuousClock.now
            let passed = try await flood([test], principal, count: 60, tokens: 5)
            let seconds = Double((ContinuousClock.now - began).components.seconds + 1)
            #expect(passed >= 15 && Double(passed) <= 15 + (seconds + 10) / 3, "\(passed)")
            let request = test.request(principal, prompt: 1, completion: 1)
            let isRefused = try await eventually { try await test.denial(of: request) != nil }
            #expect(isRefused)
            try database.bringBack()
            let knows = try await eventually {
                try await test.number(
                    """
                    SELECT (tat_us - extract(epoch FROM now()) * 1000000)::int8 / 1000000
                    FROM rate_bucket
                    """) ?? 0 >= 30
            }
            #expect(knows)
        }
    }
}
