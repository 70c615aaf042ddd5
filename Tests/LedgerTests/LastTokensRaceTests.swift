import Domain
import Foundation
import Ledger
import Synchronization
import TestSupport
import Testing

/// R13: the race of many nodes for the last tokens of one budget.
///
/// `TURNPIKE_RACE_ROUNDS` sets the number of rounds, `TURNPIKE_RACE_HEARTBEAT_MS` the beat.
@Suite(.serialized) struct LastTokensRaceTests {
    private static let units: Int64 = 100
    private static let limit: Int64 = 100 * units
    private static let rounds = setting("TURNPIKE_RACE_ROUNDS", otherwise: 10)
    private static let heartbeat = setting("TURNPIKE_RACE_HEARTBEAT_MS", otherwise: 100)

    private static func setting(_ name: String, otherwise value: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap(Int.init) ?? value
    }

    @Test func `8 nodes and 512 clients use a budget to its end, and nothing of it twice`()
        async throws
    {
        let heartbeat = Duration.milliseconds(Self.heartbeat)
        try await NodesUnderTest.run(8, change: { $0.heartbeat = heartbeat }) { test in
            var worst = Oracle.Findings()
            for round in 0..<Self.rounds {
                let findings = try await race(test, round: round)
                #expect(findings.used <= Self.limit, "round \(round)")
                #expect(findings.used * 100 >= Self.limit * 99, "round \(round)")
                worst.merge(findings)
            }
            print(
                "last tokens race: \(Self.rounds) rounds, beat \(heartbeat), longest wrong "
                    + "refusal \(worst.longest), wrong refusals \(worst.wrong), least used "
                    + "\(worst.used) of \(Self.limit)")
            #expect(worst.longest <= heartbeat + .milliseconds(500))
            #expect(try await test[0].number(LedgerNodeTests.audit) == 0)
        }
    }

    private func race(_ test: NodesUnderTest, round: Int) async throws -> Oracle.Findings {
        let principal = try await test[0].principal(
            quotas: [(.key, .tokens, .total, Self.limit)], rateLimits: [])
        let oracle = Oracle(limit: Self.limit, units: Self.units)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in 0..<512 {
                group.addTask {
                    try await run(
                        client, of: test[client % 8], principal, seed: round * 512 + client, oracle)
                }
            }
            try await group.waitForAll()
        }
        // The ledger's own word, not the test's.
        let used = try await test[0].used(test[0].account(principal.quotas[0]))
        return oracle.findings(used: used)
    }

    /// A client sends request after request until the budget is spent for good.
    private func run(
        _ client: Int, of test: PostgresUnderTest, _ principal: Principal, seed: Int,
        _ oracle: Oracle
    ) async throws {
        var random = SplitMix(seed: UInt64(seed))
        while true {
            let before = oracle.free
            switch try await test.ledger.admit(
                test.request(principal, prompt: 20, completion: Self.units - 20))
            {
            case .admitted(let reservation):
                oracle.admitted()
                #expect(try await test.ledger.acceptance(of: reservation) == .accepted)
                let usage = TokenUsage(prompt: 20, completion: Int64(random.below(81)))
                let receipt = try await test.ledger.settle(
                    reservation,
                    as: Settlement(
                        usage: usage, basis: .reported, endState: .finished,
                        timeToFirstToken: nil, duration: .zero))
                oracle.settled(receipt.charge.tokens)
            case .denied(let denial):
                if denial.reason == .quotaExhausted {
                    #expect(denial.retryAfter == nil)
                    return
                }
                #expect(denial.reason == .quotaReserved && denial.retryAfter != nil)
                oracle.refused(before: before)
                for _ in 0..<20 { await Task.yield() }
            }
        }
    }
}

/// Knows from the clients' side what is left of the budget, and measures how long requests are
/// refused although there is enough.
private final class Oracle: Sendable {
    struct Findings {
        var longest = Duration.zero
        var wrong = 0
        var used = Int64.max

        mutating func merge(_ other: Findings) {
            longest = max(longest, other.longest)
            wrong += other.wrong
            used = min(used, other.used)
        }
    }

    private struct State {
        var free: Int64
        var since: ContinuousClock.Instant?
        var findings = Findings()

        mutating func end() {
            guard let began = since else { return }
            since = nil
            findings.longest = max(findings.longest, ContinuousClock.now - began)
        }
    }

    private let units: Int64
    private let state: Mutex<State>

    init(limit: Int64, units: Int64) {
        self.units = units
        state = Mutex(State(free: limit))
    }

    var free: Int64 { state.withLock(\.free) }

    func admitted() {
        state.withLock { state in
            state.free -= units
            state.end()
        }
    }

    func settled(_ charged: Int64) { state.withLock { $0.free += units - charged } }

    func refused(before: Int64) {
        state.withLock { state in
            guard before >= units, state.free >= units else { return }
            state.findings.wrong += 1
            if state.since == nil { state.since = .now }
        }
    }

    func findings(used: Int64) -> Findings {
        state.withLock { state in
            // Nobody was admitted after the last wrong refusal, and the clients gave up.
            state.end()
            var findings = state.findings
            findings.used = used
            return findings
        }
    }
}
