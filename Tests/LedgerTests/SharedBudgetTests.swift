import Domain
import Foundation
import Ledger
import Postgres
import Synchronization
import TestSupport
import Testing

/// R14: budgets of a key, its team and its organization, used through three nodes while their
/// limits are raised and lowered and keys are revoked in mid-stream.
///
/// `TURNPIKE_BUDGET_SEQUENCES` sets how many; by hand 1,000.
@Suite(.serialized) struct SharedBudgetTests {
    private static let sequences =
        ProcessInfo.processInfo.environment["TURNPIKE_BUDGET_SEQUENCES"].flatMap(Int.init) ?? 40

    @Test func `limits hold in every snapshot and the books balance, whatever is changed`()
        async throws
    {
        try await NodesUnderTest.run(3, change: { $0.heartbeat = .milliseconds(50) }) { test in
            let admin = BudgetAdmin(url: test[0].database.url)
            var served = 0
            for number in 0..<Self.sequences {
                let sequence = try await BudgetSequence(seed: UInt64(number), test, admin)
                try await sequence.run()
                served += sequence.served
                guard number % 20 == 19 || number == Self.sequences - 1 else { continue }
                let report = try admin.audit()
                // Backends that report more than the bound are a warning, and not the matter here.
                let differences = report.findings.filter { $0.weight == .difference }
                #expect(differences.isEmpty, "seed \(number): \(differences)")
            }
            print("shared budgets: \(Self.sequences) sequences, \(served) requests settled")
            #expect(served > Self.sequences)
        }
    }

    @Test func `a raised limit counts on every node at once, a lowered one sinks within two beats`()
        async throws
    {
        try await NodesUnderTest.run(3, change: { $0.heartbeat = .milliseconds(50) }) { test in
            let admin = BudgetAdmin(url: test[0].database.url)
            let principal = try await test[0].principal(
                quotas: [(.key, .tokens, .total, 3_000)], rateLimits: [])
            let quota = principal.quotas[0]
            // Every node holds a lease with something free in it; one may be told to try again,
            // while the others hold what it needs.
            for node in test.nodes {
                let isServed = try await eventually {
                    try await node.serve(
                        node.request(principal, prompt: 10, completion: 290),
                        using: TokenUsage(prompt: 10, completion: 0)) != nil
                }
                #expect(isServed)
            }
            let lowered = quota.limited(to: 40)
            try admin.set(lowered)
            let began = ContinuousClock.now
            let sank = try await eventually {
                try await test[0].number("SELECT cap FROM account WHERE limit_units = 40") == 40
            }
            let took = ContinuousClock.now - began
            print("lowered limit: cap sank to it after \(took) at a beat of 50 ms")
            #expect(sank && took < .seconds(2))
            let poor = principal.with([lowered])
            for node in test.nodes {
                let denial = try await node.denial(
                    of: node.request(poor, prompt: 10, completion: 10))
                #expect(denial?.reason == .quotaExhausted)
            }
            // The directory brings the new limit to each node with the next request's principal.
            let raised = quota.limited(to: 100_000)
            try admin.set(raised)
            let rich = principal.with([raised])
            for node in test.nodes {
                let receipt = try await node.serve(
                    node.request(rich, prompt: 10, completion: 20_000),
                    using: TokenUsage(prompt: 10, completion: 10))
                #expect(receipt?.charge.tokens == 20)
            }
        }
    }
}

/// The administrator's commands, each over a connection of its own.
private struct BudgetAdmin: Sendable {
    let url: String

    private var store: DirectoryStore {
        get throws {
            try DirectoryStore(
                url: url, random: LedgerRandom { .random(in: 0 ... .max) }, author: .test)
        }
    }

    func set(_ quota: Quota) throws {
        let store = try store
        let organization = try #require(try store.organizations.find(name: "default"))
        try store.setQuota(quota, organization: organization)
    }

    func audit() throws -> AuditReport { try store.auditor.audit(nil, depth: .complete) }
}

/// One random history of three budgets.
private final class BudgetSequence: Sendable {
    private struct State {
        var principal: Principal
        var charged: [Int64] = [0, 0, 0]
        var served = 0
    }

    private let seed: UInt64
    private let test: NodesUnderTest
    private let admin: BudgetAdmin
    private let state: Mutex<State>
    private let usedBefore: Int64

    init(
        seed: UInt64, _ test: NodesUnderTest, _ admin: BudgetAdmin
    ) async throws {
        self.seed = seed
        self.test = test
        self.admin = admin
        var random = SplitMix(seed: seed)
        let principal = try await test[0].principal(
            quotas: [
                (.key, .tokens, .total, Int64(random.below(4_000)) + 500),
                (.team, .tokens, .month, Int64(random.below(4_000)) + 500),
                (.organization, .tokens, .total, 1_000),
            ], rateLimits: [])
        // All sequences share one organization: its budget goes on from where it is.
        usedBefore = try await test[0].used(test[0].account(principal.quotas[2]))
        let shared = principal.quotas[2].limited(
            to: usedBefore + Int64(random.below(4_000)) + 500)
        try admin.set(shared)
        state = Mutex(State(principal: principal.with(Array(principal.quotas[..<2]) + [shared])))
    }

    var served: Int { state.withLock(\.served) }

    func run() async throws {
        let principal = state.withLock(\.principal)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, node) in test.nodes.enumerated() {
                for client in 0..<3 {
                    group.addTask {
                        let seed = self.seed << 8 | UInt64(number * 3 + client)
                        try await self.use(node, SplitMix(seed: seed))
                    }
                }
            }
            group.addTask { try await self.administer(SplitMix(seed: self.seed << 8 | 255)) }
            try await group.waitForAll()
        }
        // The ledger says what the clients were told.
        let charged = state.withLock(\.charged)
        for (index, quota) in principal.quotas.enumerated() {
            let before = quota.subject.kind == .organization ? usedBefore : 0
            let used = try await test[0].used(test[0].account(quota))
            #expect(used - before == charged[index], "seed \(seed), budget \(index)")
        }
    }

    /// A client: requests that hold for a while and end in every way.
    private func use(_ node: PostgresUnderTest, _ start: SplitMix) async throws {
        var random = start
        for _ in 0..<6 {
            let principal = state.withLock(\.principal)
            let prompt = Int64(random.below(60)) + 1
            let completion = Int64(random.below(150)) + 1
            guard
                case .admitted(let reservation) = try await node.ledger.admit(
                    node.request(principal, prompt: prompt, completion: completion))
            else { continue }
            let isAccepted = try await node.ledger.acceptance(of: reservation) == .accepted
            for _ in 0..<random.below(30) { await Task.yield() }
            let isVoid = !isAccepted || random.below(6) == 0
            let usage = TokenUsage(
                prompt: prompt, completion: Int64(random.below(UInt64(completion) + 20)))
            let receipt = try await node.ledger.settle(
                reservation,
                as: isVoid
                    ? .void
                    : Settlement(
                        usage: usage, basis: .reported, endState: .finished,
                        timeToFirstToken: nil, duration: .zero))
            state.withLock { state in
                state.served += 1
                guard receipt.recorded else { return }
                for index in state.charged.indices { state.charged[index] += receipt.charge.tokens }
            }
        }
    }

    /// The administrator, and the eye on the limits.
    private func administer(_ start: SplitMix) async throws {
        var random = start
        var seen: [Int64: (limit: Int64, cap: Int64)] = [:]
        for step in 0..<8 {
            if random.below(2) == 0 { try change(&random) }
            if step == 6, random.below(3) == 0 {
                try await test[0].revoke(state.withLock(\.principal.key))
            }
            for _ in 0..<3 {
                for row in try await test[0].rows(snapshot) {
                    let (account, limit, cap, held) = (row[0], row[1], row[2], row[3])
                    #expect(held <= cap, "seed \(seed), account \(account)")
                    // Above its limit an account only sinks.
                    if let last = seen[account], last.limit == limit, cap > limit {
                        #expect(cap <= last.cap, "seed \(seed), account \(account)")
                    }
                    seen[account] = (limit, cap)
                }
            }
        }
    }

    private func change(_ random: inout SplitMix) throws {
        let index = Int(random.below(3))
        let before = index == 2 ? usedBefore : 0
        let principal = state.withLock(\.principal)
        var quotas = principal.quotas
        quotas[index] = quotas[index].limited(to: before + Int64(random.below(8_000)))
        try admin.set(quotas[index])
        // The nodes' directories hear of it a while later.
        state.withLock { $0.principal = principal.with(quotas) }
    }

    /// What this history's accounts have spent and hold, in one snapshot.
    private var snapshot: String {
        let subjects = state.withLock(\.principal.quotas).map { String($0.subject.id) }
        return """
            SELECT a.account_id, a.limit_units, a.cap,
                (a.used + coalesce(sum(l.settled + l.reserved), 0))::int8
            FROM account a LEFT JOIN lease l ON l.shard = a.shard AND l.account_id = a.account_id
            WHERE a.subject_id IN (\(subjects.joined(separator: ", ")))
            GROUP BY a.shard, a.account_id
            """
    }
}

extension Quota {
    fileprivate func limited(to limit: Int64) -> Quota {
        Quota(subject: subject, resource: resource, period: period, limit: limit)
    }
}

extension Principal {
    /// The same with other quotas, as the directory's refresh would bring it.
    fileprivate func with(_ quotas: [Quota]) -> Principal {
        Principal(
            shard: shard, organization: organization, team: team, key: key,
            keySubject: keySubject, allowedModels: allowedModels,
            defaultCompletionTokens: defaultCompletionTokens,
            alwaysShowsUsage: alwaysShowsUsage, quotas: quotas, rateLimits: rateLimits)
    }
}
