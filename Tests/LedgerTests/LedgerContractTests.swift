import Domain
import Testing

/// What every ledger promises: run over the one in memory and over the one in Postgres alike.
@Suite(.serialized) struct LedgerContractTests {
    @Test(arguments: LedgerKind.allCases)
    func `a served request is charged what it used and holds nothing afterwards`(_ kind: LedgerKind)
        async throws
    {
        try await kind.withLedger { test in
            let principal = try await test.principal(
                quotas: [(.key, .tokens, .day, 1000)], rateLimits: [])
            let account = test.account(principal.quotas[0])
            let receipt = try await test.serve(
                test.request(principal, prompt: 100, completion: 200),
                using: TokenUsage(prompt: 80, completion: 40))
            #expect(receipt?.charge.tokens == 120)
            #expect(receipt?.recorded == true)
            #expect(try await test.used(account) == 120)
            // 880 are left, all of them usable.
            let rest = try await test.serve(
                test.request(principal, prompt: 80, completion: 800),
                using: TokenUsage(prompt: 80, completion: 800))
            #expect(rest?.charge.tokens == 880)
            #expect(try await test.used(account) == 1000)
        }
    }

    @Test(arguments: LedgerKind.allCases)
    func `64 clients on a budget for ten: exactly ten are served and none over`(_ kind: LedgerKind)
        async throws
    {
        try await kind.withLedger { test in
            let principal = try await test.principal(
                quotas: [(.key, .tokens, .total, 1000)], rateLimits: [])
            let account = test.account(principal.quotas[0])
            let served = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<64 {
                    group.addTask {
                        try await test.serve(
                            test.request(principal, prompt: 60, completion: 40),
                            using: TokenUsage(prompt: 60, completion: 40)) != nil
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(served == 10)
            #expect(try await test.used(account) == 1000)
            #expect(try await test.peak(account) <= 1000)
        }
    }

    @Test(arguments: LedgerKind.allCases)
    func `quotas of key, team and organization pass together or not at all`(_ kind: LedgerKind)
        async throws
    {
        try await kind.withLedger { test in
            let principal = try await test.principal(
                quotas: [
                    (.key, .tokens, .day, 10_000), (.team, .tokens, .month, 250),
                    (.organization, .requests, .total, 100),
                ], rateLimits: [])
            let accounts = principal.quotas.map { test.account($0) }
            for _ in 0..<2 {
                #expect(
                    try await test.serve(
                        test.request(principal, prompt: 50, completion: 50),
                        using: TokenUsage(prompt: 50, completion: 50)) != nil)
            }
            let denial = try await test.denial(
                of: test.request(principal, prompt: 50, completion: 50))
            #expect(denial?.subject.kind == .team)
            #expect(denial?.reason == .quotaExhausted)
            #expect(try await test.used(accounts[0]) == 200)
            #expect(try await test.used(accounts[1]) == 200)
            #expect(try await test.used(accounts[2]) == 2)
        }
    }

    @Test(arguments: LedgerKind.allCases)
    func `a backend that reports more than the bound is charged at the bound`(_ kind: LedgerKind)
        async throws
    {
        try await kind.withLedger { test in
            let principal = try await test.principal(
                quotas: [(.key, .tokens, .day, 150)], rateLimits: [])
            let receipt = try await test.serve(
                test.request(principal, prompt: 50, completion: 100),
                using: TokenUsage(prompt: 50, completion: 900))
            #expect(receipt?.charge.tokens == 150)
            #expect(receipt?.charge.overage == 800)
            #expect(try await test.used(test.account(principal.quotas[0])) == 150)
        }
    }

    @Test(arguments: LedgerKind.allCases)
    func `a request that failed before its first byte costs nothing`(_ kind: LedgerKind)
        async throws
    {
        try await kind.withLedger { test in
            let principal = try await test.principal(
                quotas: [(.key, .tokens, .day, 150), (.key, .requests, .day, 1)], rateLimits: [])
            _ = try await test.serve(
                test.request(principal, prompt: 50, completion: 100), using: .none, basis: .void)
            #expect(try await test.used(test.account(principal.quotas[0])) == 0)
            #expect(try await test.used(test.account(principal.quotas[1])) == 0)
            let next = try await test.serve(
                test.request(principal, prompt: 50, completion: 100),
                using: TokenUsage(prompt: 1, completion: 1))
            #expect(next != nil)
        }
    }

    @Test(arguments: LedgerKind.allCases)
    func `a quota of requests counts answers, not tokens`(_ kind: LedgerKind) async throws {
        try await kind.withLedger { test in
            let principal = try await test.principal(
                quotas: [(.key, .requests, .day, 3)], rateLimits: [])
            for _ in 0..<3 {
                let receipt = try await test.serve(
                    test.request(principal, prompt: 900, completion: 900),
                    using: TokenUsage(prompt: 900, completion: 1))
                #expect(receipt != nil)
            }
            let denial = try await test.denial(
                of: test.request(principal, prompt: 1, completion: 1))
            #expect(denial?.resource == .requests && denial?.reason == .quotaExhausted)
            #expect(denial?.used == 3)
        }
    }

    @Test(arguments: LedgerKind.allCases)
    func `a revoked key's opening is refused and charges nothing`(_ kind: LedgerKind) async throws {
        try await kind.withLedger { test in
            let principal = try await test.principal(
                quotas: [(.key, .tokens, .day, 1000)], rateLimits: [])
            try await test.revoke(principal.key)
            guard
                case .admitted(let reservation) = try await test.ledger.admit(
                    test.request(principal, prompt: 10, completion: 10))
            else {
                Issue.record("denied")
                return
            }
            let acceptance = try await test.ledger.acceptance(of: reservation)
            #expect(acceptance == .keyRefused)
            let receipt = try await test.ledger.settle(reservation, as: .void)
            #expect(!receipt.recorded)
            #expect(try await test.used(test.account(principal.quotas[0])) == 0)
        }
    }

    @Test(arguments: LedgerKind.allCases)
    func `a request larger than the whole limit is told so`(_ kind: LedgerKind) async throws {
        try await kind.withLedger { test in
            let principal = try await test.principal(
                quotas: [(.key, .tokens, .day, 100)], rateLimits: [])
            let denial = try await test.denial(
                of: test.request(principal, prompt: 50, completion: 51))
            #expect(denial?.reason == .exceedsLimit)
            #expect(denial?.limit == 100 && denial?.requested == 101)
        }
    }

    @Test(arguments: LedgerKind.allCases)
    func `what open requests hold is refused as retryable, what is spent is not`(_ kind: LedgerKind)
        async throws
    {
        try await kind.withLedger { test in
            let principal = try await test.principal(
                quotas: [(.key, .tokens, .day, 100)], rateLimits: [])
            guard
                case .admitted(let reservation) = try await test.ledger.admit(
                    test.request(principal, prompt: 40, completion: 40))
            else {
                Issue.record("denied")
                return
            }
            _ = try await test.ledger.acceptance(of: reservation)
            let held = try await test.denial(
                of: test.request(principal, prompt: 20, completion: 20))
            #expect(held?.reason == .quotaReserved)
            #expect(held?.retryAfter != nil)
            _ = try await test.ledger.settle(
                reservation,
                as: Settlement(
                    usage: TokenUsage(prompt: 40, completion: 40), basis: .reported,
                    endState: .finished, timeToFirstToken: nil, duration: .zero))
            // Past the 100 ms for which a refusal is remembered, the ledger is asked again.
            let spent = try await eventually {
                try await test.denial(of: test.request(principal, prompt: 20, completion: 20))?
                    .reason == .quotaExhausted
            }
            #expect(spent)
        }
    }

    @Test(arguments: LedgerKind.allCases)
    func `requests per minute and concurrent requests are limited and given back`(
        _ kind: LedgerKind
    )
        async throws
    {
        try await kind.withLedger { test in
            let fast = try await test.principal(quotas: [], rateLimits: [(.requestsPerMinute, 2)])
            for _ in 0..<2 {
                let receipt = try await test.serve(
                    test.request(fast, prompt: 1, completion: 1),
                    using: TokenUsage(prompt: 1, completion: 1))
                #expect(receipt != nil)
            }
            let denial = try await test.denial(of: test.request(fast, prompt: 1, completion: 1))
            #expect(denial?.reason == .rateLimited(.requestsPerMinute))
            #expect((denial?.retryAfter ?? .zero) > .zero)

            let narrow = try await test.principal(
                quotas: [], rateLimits: [(.concurrentRequests, 1)])
            guard
                case .admitted(let first) = try await test.ledger.admit(
                    test.request(narrow, prompt: 1, completion: 1))
            else {
                Issue.record("denied")
                return
            }
            let second = try await test.denial(of: test.request(narrow, prompt: 1, completion: 1))
            #expect(second?.reason == .rateLimited(.concurrentRequests))
            _ = try await test.ledger.settle(first, as: .void)
            #expect(
                try await test.denial(of: test.request(narrow, prompt: 1, completion: 1)) == nil)
        }
    }

    @Test(arguments: LedgerKind.allCases)
    func `the standing shows the tightest limit and is never negative`(_ kind: LedgerKind)
        async throws
    {
        try await kind.withLedger { test in
            let principal = try await test.principal(
                quotas: [(.key, .tokens, .day, 500), (.team, .tokens, .total, 90_000)],
                rateLimits: [(.requestsPerMinute, 10)])
            _ = try await test.serve(
                test.request(principal, prompt: 100, completion: 200),
                using: TokenUsage(prompt: 100, completion: 100))
            let standing = test.ledger.standing(of: principal, for: nil)
            #expect(standing.tokens?.limit == 500)
            #expect(standing.tokens?.remaining == 300)
            #expect(standing.requests?.limit == 10)
            #expect(standing.requests?.remaining == 9)
            let none = test.ledger.standing(
                of: try await test.principal(quotas: [], rateLimits: []), for: nil)
            #expect(none == Standing(requests: nil, tokens: nil))
        }
    }

    @Test(arguments: LedgerKind.allCases)
    func `many requests at once: what is charged is what was used, and never above the limit`(
        _ kind: LedgerKind
    ) async throws {
        try await kind.withLedger { test in
            let principal = try await test.principal(
                quotas: [(.key, .tokens, .day, 5000), (.team, .requests, .day, 120)], rateLimits: []
            )
            let charged = try await withThrowingTaskGroup(of: Int64.self) { group in
                for number in 0..<200 as Range<Int64> {
                    group.addTask {
                        let receipt = try await test.serve(
                            test.request(principal, prompt: 20, completion: 60),
                            using: TokenUsage(prompt: 20, completion: number % 61),
                            basis: number % 17 == 0 ? .void : .reported)
                        return receipt?.charge.tokens ?? 0
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(try await test.used(test.account(principal.quotas[0])) == charged)
            #expect(charged <= 5000 && charged > 0)
            #expect(try await test.used(test.account(principal.quotas[1])) <= 120)
            #expect(DroppedReservations.total == 0)
        }
    }
}

/// Asks again until it is so; gives up after half a minute. For what becomes true by itself.
func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
    let clock = ContinuousClock()
    // Longer than any single call to the ledger may wait, as one in a pooler's queue does.
    let deadline = clock.now.advanced(by: .seconds(30))
    while clock.now < deadline {
        if try await condition() { return true }
        await Task.yield()
    }
    return false
}
