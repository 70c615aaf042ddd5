import Domain
import Ledger
import TestSupport
import Testing

/// One key must not lock its team out (`ledger.md` §8, A8), on the real ledger.
@Suite struct KeyShareTests {
    private struct Burst {
        var admitted: [ReservationBox] = []
        var reasons: [Denial.Reason] = []
    }

    /// Requests of 100 tokens each, all at once.
    private func burst(
        _ count: Int, of principal: Principal, _ test: PostgresUnderTest
    ) async throws -> Burst {
        try await withThrowingTaskGroup(of: (ReservationBox?, Denial.Reason?).self) { group in
            for _ in 0..<count {
                group.addTask {
                    let request = test.request(principal, prompt: 60, completion: 40)
                    switch try await test.ledger.admit(request) {
                    case .admitted(let reservation): return (ReservationBox(reservation), nil)
                    case .denied(let denial): return (nil, denial.reason)
                    }
                }
            }
            return try await group.reduce(into: Burst()) { burst, answer in
                if let box = answer.0 { burst.admitted.append(box) }
                if let reason = answer.1 { burst.reasons.append(reason) }
            }
        }
    }

    private func end(_ boxes: some Sequence<ReservationBox>, _ test: PostgresUnderTest) async throws
    {
        for box in boxes {
            guard let reservation = box.take() else { continue }
            _ = try await test.ledger.settle(
                reservation,
                as: Settlement(
                    usage: TokenUsage(prompt: 60, completion: 40), basis: .reported,
                    endState: .finished, timeToFirstToken: nil, duration: .zero))
        }
    }

    @Test func `a key's burst leaves half of a team's quota to the other keys, leased or not`()
        async throws
    {
        try await PostgresUnderTest.run { test in
            let greedy = try await test.principal(
                quotas: [(.team, .tokens, .total, 1000)], rateLimits: [])
            let other = try await test.principal(quotas: [], rateLimits: [])
            let modest = Principal(
                shard: greedy.shard, organization: greedy.organization, team: greedy.team,
                key: other.key, keySubject: other.keySubject, allowedModels: nil,
                defaultCompletionTokens: nil, alwaysShowsUsage: false, quotas: greedy.quotas,
                rateLimits: [])
            // No lease is here yet: all of them stand in line for the first one.
            let first = try await burst(10, of: greedy, test)
            #expect(first.admitted.count == 5)
            #expect(
                first.reasons
                    == Array(repeating: .keyShareReserved(most: 500), count: 5))
            let second = try await burst(5, of: modest, test)
            #expect(second.admitted.count == 5 && second.reasons.isEmpty)
            // What its own requests free is the key's again, as long as the quota has it.
            try await end(second.admitted.prefix(2), test)
            try await end(first.admitted.prefix(3), test)
            let third = try await burst(3, of: greedy, test)
            #expect(third.admitted.isEmpty)
            #expect(third.reasons.allSatisfy { $0 == .quotaReserved || $0 == .quotaExhausted })
            try await end(first.admitted + second.admitted, test)
        }
    }

    @Test func `what a request held in vain, refused by a quota, is its key's again`() async throws
    {
        try await PostgresUnderTest.run { (test: PostgresUnderTest) in
            let principal = try await test.principal(
                quotas: [(.key, .tokens, .total, 150), (.team, .tokens, .total, 1000)],
                rateLimits: [])
            for _ in 0..<4 {
                let burst = try await burst(5, of: principal, test)
                #expect(burst.admitted.count == 1)
                #expect(!burst.reasons.contains(.keyShareReserved(most: 500)))
                guard let reservation = burst.admitted.first?.take() else { return }
                _ = try await test.ledger.settle(reservation, as: .void)
                // Until the ledger has its end it may still count against the quota.
                let isSettled = try await eventually {
                    try await test.number("SELECT count(*) FROM reservation") == 0
                }
                #expect(isSettled)
            }
        }
    }
}
