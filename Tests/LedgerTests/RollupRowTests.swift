import Domain
import Postgres
import TestSupport
import Testing

/// How a node finds the rows in which it counts requests by the hour.
@Suite struct RollupRowTests {
    private func serve(_ node: PostgresUnderTest, _ principal: Principal) async throws -> Bool {
        let receipt = try await node.serve(
            node.request(principal, prompt: 1, completion: 1),
            using: TokenUsage(prompt: 1, completion: 1))
        return receipt?.recorded == true
    }

    @Test func `requests of one hour and key are counted in one row, which is made for the first`()
        async throws
    {
        try await PostgresUnderTest.run { node in
            let principal = try await node.principal(quotas: [], rateLimits: [])
            for _ in 0..<5 { #expect(try await serve(node, principal)) }
            // Two rows if the hour turned meanwhile.
            #expect(try await node.number("SELECT sum(requests)::int8 FROM usage_hour") == 5)
            #expect(try await (node.number("SELECT count(*) FROM usage_hour") ?? 9) <= 2)
        }
    }

    @Test func `a row that somebody deleted is made again, and the request is settled`()
        async throws
    {
        try await PostgresUnderTest.run { node in
            let principal = try await node.principal(
                quotas: [(.key, .tokens, .total, 100)], rateLimits: [])
            #expect(try await serve(node, principal))
            try await node.execute("DELETE FROM usage_hour")
            #expect(try await serve(node, principal))
            #expect(try await node.number("SELECT sum(requests)::int8 FROM usage_hour") == 1)
            #expect(try await node.number("SELECT count(*) FROM usage") == 2)
            #expect(try await node.number("SELECT count(*) FROM reservation") == 0)
            // What was deleted with the row comes back, for the audit that follows.
            try await node.execute(
                """
                UPDATE usage_hour SET requests = 2, prompt_tokens = 2, completion_tokens = 2,
                    charged = 4
                """)
        }
    }
}
