import Domain
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// Quotas and rate limits of one model, as gateways enforce them.
@Suite(.serialized) struct `Quotas of one model at the gateway` {
    private static let units: Int64 = 100

    @Test func `one model's quota refuses its requests, and those for another pass`() async throws {
        try await PostgresUnderTest.run { test in
            let bare = try await test.principal(
                quotas: [(.team, .tokens, .total, 1000)], rateLimits: [])
            let principal = try await test.limit(
                bare, .team, "tiny", [.setQuota(.tokens, .total, limit: 250)])
            let usage = TokenUsage(prompt: 20, completion: 80)
            for _ in 0..<2 {
                let served = try await test.serve(
                    test.ask(principal, "tiny", units: Self.units), using: usage)
                #expect(served?.recorded == true)
            }
            let denial = try await test.denial(
                of: test.ask(principal, "tiny", units: Self.units))
            #expect(denial?.reason == .quotaExhausted && denial?.subject.isOfOneModel == true)
            #expect(denial?.limit == 250 && denial?.used == 200)
            for _ in 0..<3 {
                let served = try await test.serve(
                    test.ask(principal, "gpt-4o", units: Self.units), using: usage)
                #expect(served?.recorded == true)
            }
            // The quota over all models counts both, and refuses both.
            #expect(
                try await test.serve(
                    test.ask(principal, "gpt-4o", units: 490), using: usage) != nil)
            let last = try await test.denial(of: test.ask(principal, "gpt-4o", units: 490))
            #expect(last?.limit == 1000 && last?.subject.isOfOneModel == false)
            let used = try await test.used(of: principal)
            #expect(used == ["": 600, "tiny": 200])
        }
    }

    @Test func `a model's rate limit and places are its own`() async throws {
        try await PostgresUnderTest.run { test in
            let bare = try await test.principal(quotas: [], rateLimits: [(.concurrentRequests, 3)])
            let principal = try await test.limit(
                bare, .key, "tiny",
                [
                    .setRateLimit(.requestsPerMinute, limit: 2),
                    .setRateLimit(.concurrentRequests, limit: 1),
                ])
            let first = try await test.ledger.admit(test.ask(principal, "tiny", units: 10))
            guard case .admitted(let running) = first else {
                Issue.record("denied")
                return
            }
            let full = try await test.denial(of: test.ask(principal, "tiny", units: 10))
            #expect(full?.reason == .rateLimited(.concurrentRequests) && full?.limit == 1)
            #expect(try await test.denial(of: test.ask(principal, "gpt-4o", units: 10)) == nil)
            _ = try await test.ledger.settle(running, as: .void)
            #expect(try await test.denial(of: test.ask(principal, "tiny", units: 10)) == nil)
            let fast = try await test.denial(of: test.ask(principal, "tiny", units: 10))
            #expect(fast?.reason == .rateLimited(.requestsPerMinute))
            #expect(fast?.subject.isOfOneModel == true)
            for _ in 0..<5 {
                #expect(try await test.denial(of: test.ask(principal, "gpt-4o", units: 10)) == nil)
            }
        }
    }

    @Test func `the standing is that of the model asked for`() async throws {
        try await PostgresUnderTest.run { test in
            let bare = try await test.principal(
                quotas: [(.team, .tokens, .total, 1000)], rateLimits: [])
            let principal = try await test.limit(
                bare, .team, "tiny",
                [
                    .setQuota(.tokens, .total, limit: 250),
                    .setRateLimit(.requestsPerMinute, limit: 9),
                ])
            _ = try await test.serve(
                test.ask(principal, "tiny", units: Self.units),
                using: TokenUsage(prompt: 20, completion: 80))
            let tiny = test.ledger.standing(of: principal, for: "tiny")
            #expect(tiny.tokens?.limit == 250 && tiny.tokens?.remaining == 150)
            #expect(tiny.requests?.limit == 9)
            for model in ["gpt-4o", nil] {
                let other = test.ledger.standing(of: principal, for: model)
                #expect(other.tokens?.limit == 1000 && other.requests == nil)
            }
        }
    }

    @Test func `of four nodes and 128 clients none gets past one model's quota`() async throws {
        try await NodesUnderTest.run(
            4,
            change: {
                $0.heartbeat = .milliseconds(100)
                // What one key may hold of its team's quota is another test's.
                $0.keySharePercent = 100
            }
        ) { test in
            for round in 0..<3 {
                let bare = try await test[0].principal(
                    quotas: [(.team, .tokens, .total, 100 * Self.units)], rateLimits: [])
                let some = try await test[0].limit(
                    bare, .team, "tiny", [.setQuota(.tokens, .total, limit: 30 * Self.units)])
                let principal = try await test[0].limit(
                    some, .key, "gpt-4o", [.setQuota(.requests, .total, limit: 20)])
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for client in 0..<128 {
                        let model = client % 2 == 0 ? "tiny" : "gpt-4o"
                        group.addTask {
                            try await spend(test[client / 2 % 4], principal, model)
                        }
                    }
                    try await group.waitForAll()
                }
                let used = try await test[0].used(of: principal)
                #expect(used["tiny"] == 30 * Self.units, "round \(round): \(used)")
                #expect(used["gpt-4o"] == 20, "round \(round): \(used)")
                #expect(used[""] == 50 * Self.units, "round \(round): \(used)")
            }
            #expect(try await test[0].number(LedgerNodeTests.audit) == 0)
        }
    }

    /// A client sends request after request until the model's quota is spent for good.
    private func spend(
        _ test: PostgresUnderTest, _ principal: Principal, _ model: String
    ) async throws {
        while true {
            switch try await test.ledger.admit(test.ask(principal, model, units: Self.units)) {
            case .admitted(let reservation):
                #expect(try await test.ledger.acceptance(of: reservation) == .accepted)
                _ = try await test.ledger.settle(
                    reservation,
                    as: Settlement(
                        usage: TokenUsage(prompt: 20, completion: Self.units - 20),
                        basis: .reported, endState: .finished, timeToFirstToken: nil,
                        duration: .zero))
            case .denied(let denial):
                if denial.reason == .quotaExhausted {
                    #expect(denial.subject.isOfOneModel)
                    return
                }
                #expect(denial.reason == .quotaReserved)
                for _ in 0..<20 { await Task.yield() }
            }
        }
    }
}

extension PostgresUnderTest {
    /// A request of `units` tokens for a model.
    func ask(_ principal: Principal, _ model: String, units: Int64) -> AdmissionRequest {
        let like = request(principal, prompt: 1, completion: units - 1)
        return AdmissionRequest(
            requestID: like.requestID, principal: principal, bound: like.bound, model: model,
            backend: like.backend, price: nil)
    }

    /// Sets limits of one model, and reads the principal as a gateway would then have it.
    func limit(
        _ principal: Principal, _ kind: Subject.Kind, _ model: String, _ changes: [AllowanceChange]
    ) async throws -> Principal {
        let id =
            switch kind {
            case .organization: principal.organization.rawValue
            case .team: principal.team.rawValue
            case .key: principal.keySubject
            }
        let result = try await run { connection throws(PostgresError) in
            Result { () throws(LedgerError) -> Principal in
                let store = DirectoryStore(
                    connection, random: DirectoryFixture.random, author: .test)
                guard let owner = try store.organizations.find(name: "default") else {
                    throw .missing(what: "organization", name: "default")
                }
                _ = try store.apply(
                    changes, subject: Subject(kind: kind, id: id), model: model,
                    organization: owner)
                do throws(PostgresError) {
                    let rows = try connection.execute(
                        KeySourceStatements.read([principal.key], principal.shard)
                    ).rows
                    guard let row = rows.first,
                        let key = try KeySourceStatements.decode(row, principal.shard)
                    else { throw PostgresError(kind: .decoding(reason: "no key")) }
                    return key.principal
                } catch {
                    throw LedgerError(error)
                }
            }
        }
        return try result.get()
    }

    /// What each quota's account has used, by model; the quota over all models is without a name.
    func used(of principal: Principal) async throws -> [String: Int64] {
        var used: [String: Int64] = [:]
        for quota in principal.quotas {
            used[quota.model ?? ""] = try await self.used(account(quota))
        }
        return used
    }
}
