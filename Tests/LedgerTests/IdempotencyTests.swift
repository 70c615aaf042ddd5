import Domain
import Postgres
import TestSupport
import Testing

@testable import Ledger

@Suite(.serialized) struct IdempotencyTests {
    private let usage = TokenUsage(prompt: 12, cached: 4, completion: 30, reasoning: 5)

    /// A node with claims and a principal of its own.
    private func withOnce(
        replays: Bool = false, _ body: (OnceUnderTest, Principal) async throws -> Void
    ) async throws {
        try await PostgresUnderTest.run { node in
            let once = try OnceUnderTest(node, replays: replays)
            try await body(once, try await node.principal(quotas: [], rateLimits: []))
        }
    }

    @Test func `of 64 claims at once on two nodes exactly one wins, and the others learn which`()
        async throws
    {
        try await NodesUnderTest.run(2) { nodes in
            let sides = try nodes.nodes.map { try OnceUnderTest($0) }
            let principal = try await nodes[0].principal(quotas: [], rateLimits: [])
            for round in 0..<8 {
                let requests = (0..<64).map { sides[$0 % 2].request(principal, "race \(round)").1 }
                let verdicts = try await withThrowingTaskGroup(
                    of: (RequestID, IdempotencyVerdict).self
                ) { group in
                    for (index, claim) in requests.enumerated() {
                        group.addTask {
                            (claim.requestID, try await sides[index % 2].claims.claim(claim))
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                let winners = verdicts.filter { $0.1 == .claimed }.map(\.0)
                try #require(winners.count == 1, "round \(round): \(winners.count) winners")
                #expect(
                    verdicts.count { $0.1 == .inProgress(first: winners[0]) } == 63,
                    "round \(round)")
            }
        }
    }

    @Test func `of 64 retries of a request that came to nothing exactly one wins`() async throws {
        try await NodesUnderTest.run(2) { nodes in
            let sides = try nodes.nodes.map { try OnceUnderTest($0) }
            let principal = try await nodes[0].principal(quotas: [], rateLimits: [])
            try await sides[0].open(principal, "again") { reservation in
                _ = try await nodes[0].ledger.settle(reservation, as: .void)
            }
            let verdicts = try await withThrowingTaskGroup(of: IdempotencyVerdict.self) { group in
                for index in 0..<64 {
                    group.addTask { try await sides[index % 2].verdict(principal, "again") }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(verdicts.count { $0 == .claimed } == 1)
            #expect(
                verdicts.allSatisfy {
                    if case .inProgress = $0 { true } else { $0 == .claimed }
                })
        }
    }

    @Test func `an open request is in progress, a settled one tells its id, usage and end`()
        async throws
    {
        try await withOnce { once, principal in
            let (open, closed) = (try await once.verdict(principal, "a"), usage)
            #expect(open == .claimed)
            let claim = try await once.open(principal, "b") { reservation in
                let first = reservation.requestID
                #expect(try await once.verdict(principal, "b") == .inProgress(first: first))
                _ = try await once.node.ledger.settle(reservation, as: .finished(closed))
            }
            #expect(
                try await once.verdict(principal, "b")
                    == .ended(
                        IdempotentEnd(
                            requestID: claim.requestID, usage: usage, endState: .finished,
                            answer: nil)))
        }
    }

    @Test func `another request under the same key is told so, and under another API key is free`()
        async throws
    {
        try await withOnce { once, principal in
            try await once.serve(principal, "mine", usage)
            #expect(try await once.verdict(principal, "mine", body: "other") == .otherRequest)
            let neighbour = try await once.node.principal(quotas: [], rateLimits: [])
            #expect(try await once.verdict(neighbour, "mine", body: "other") == .claimed)
        }
    }

    @Test func `a claim that is given back is free, but not by a request that has it no more`()
        async throws
    {
        try await withOnce { once, principal in
            let first = once.request(principal, "back").1
            let verdict = try await once.claims.claim(first)
            #expect(verdict == .claimed)
            await once.claims.release(first)
            let second = once.request(principal, "back", body: "changed").1
            #expect(try await once.claims.claim(second) == .claimed)
            await once.claims.release(first)
            #expect(
                try await once.verdict(principal, "back", body: "changed")
                    == .inProgress(first: second.requestID))
        }
    }

    @Test func `a request that was charged nothing leaves its key free, whoever settled it`()
        async throws
    {
        try await withOnce { once, principal in
            try await once.open(principal, "void") { reservation in
                _ = try await once.node.ledger.settle(reservation, as: .void)
            }
            #expect(try await once.verdict(principal, "void", body: "changed") == .claimed)
        }
    }

    @Test func `a claim that was overtaken, or has no reservation, is not confirmed`() async throws
    {
        try await withOnce { once, principal in
            let (request, claim) = once.request(principal, "late")
            #expect(try await once.claims.claim(claim) == .claimed)
            #expect(try await !once.claims.confirm(claim), "there is no reservation")
            // As if the life of the node that made it were over.
            try await once.node.execute(
                "UPDATE idempotent_request SET epoch = '00000000-0000-0000-0000-000000000001'")
            #expect(try await once.verdict(principal, "late") == .claimed)
            guard case .admitted(let reservation) = try await once.node.ledger.admit(request) else {
                throw OnceUnderTest.Unexpected()
            }
            #expect(try await once.node.ledger.acceptance(of: reservation) == .accepted)
            #expect(try await !once.claims.confirm(claim), "another request has it")
            _ = try await once.node.ledger.settle(reservation, as: .void)
        }
    }

    @Test func `a claim of a node that ended before it was accepted is free`() async throws {
        let database = try TestDatabase.make()
        try await PostgresUnderTest.run(on: database) { survivor in
            let once = try OnceUnderTest(survivor)
            let principal = try await survivor.principal(quotas: [], rateLimits: [])
            try await PostgresUnderTest.run(on: database) { dying in
                let claim = try OnceUnderTest(dying).request(principal, "orphan").1
                #expect(try await OnceUnderTest(dying).claims.claim(claim) == .claimed)
                #expect(
                    try await once.verdict(principal, "orphan")
                        == .inProgress(first: claim.requestID))
            }
            #expect(try await once.verdict(principal, "orphan") == .claimed)
        }
        withExtendedLifetime(database) {}
    }

    @Test func `a request whose node never comes back is over once it is swept, and not before`()
        async throws
    {
        let database = try TestDatabase.make()
        var after: TestDatabase?
        var first: IdempotencyClaim?
        var caller: Principal?
        try await PostgresUnderTest.run(on: database) { lost in
            let once = try OnceUnderTest(lost)
            let principal = try await lost.principal(quotas: [], rateLimits: [])
            caller = principal
            first = try await once.open(principal, "killed") { reservation in
                // From here on the story goes on without this node.
                after = try database.copy()
                _ = try? await lost.ledger.settle(reservation, as: .finished(usage))
            }
        }
        let (principal, claim) = (try #require(caller), try #require(first))
        // It takes nobody for dead so soon.
        try await PostgresUnderTest.run(
            on: try #require(after), change: { $0.sweepEvery = .seconds(3600) }
        ) { survivor in
            let once = try OnceUnderTest(survivor)
            #expect(
                try await once.verdict(principal, "killed") == .inProgress(first: claim.requestID))
            // One that does: the dead lane is fenced and swept.
            try await PostgresUnderTest.run(
                on: try #require(after),
                change: {
                    $0.fenceAfter = .milliseconds(1500)
                    $0.sweepEvery = .milliseconds(50)
                }
            ) { _ in
                let isOver = try await eventually {
                    if case .ended = try await once.verdict(principal, "killed") {
                        true
                    } else {
                        false
                    }
                }
                #expect(isOver)
            }
            #expect(
                try await once.verdict(principal, "killed")
                    == .ended(
                        IdempotentEnd(
                            requestID: claim.requestID,
                            usage: TokenUsage(prompt: 50, completion: 50), endState: .nodeLost,
                            answer: nil)))
        }
        withExtendedLifetime((database, after)) {}
    }
}
