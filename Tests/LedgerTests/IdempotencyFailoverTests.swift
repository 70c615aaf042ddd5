import Domain
import Logging
import ServiceLifecycle
import TestSupport
import Testing

@testable import Ledger

/// A server that was promoted without the last commits of the one before it. That is made here by
/// what it leaves behind: claims as they were earlier, and nodes that claimed on another timeline.
@Suite(.serialized) struct IdempotencyFailoverTests {
    private let usage = TokenUsage(prompt: 12, completion: 30)

    /// Two nodes that have both claimed something, so that each is waited for.
    private func withTwo(
        _ body: ([OnceUnderTest], Principal) async throws -> Void
    ) async throws {
        try await NodesUnderTest.run(2) { nodes in
            let sides = try nodes.nodes.map { try OnceUnderTest($0) }
            let principal = try await nodes[0].principal(quotas: [], rateLimits: [])
            for (index, side) in sides.enumerated() {
                #expect(try await side.verdict(principal, "begun \(index)") == .claimed)
            }
            try await body(sides, principal)
        }
    }

    private func promote(_ side: OnceUnderTest, losing sql: String) async throws {
        try await side.node.execute(sql)
        try await side.node.execute("UPDATE idempotent_node SET timeline = 7")
    }

    private static let everything = "DELETE FROM idempotent_request"

    @Test
    func `a claim that was confirmed and lost is written again before anybody else has its name`()
        async throws
    {
        try await withTwo { sides, principal in
            let usage = usage
            let claim = try await sides[0].open(principal, "order") { reservation in
                let first = reservation.requestID
                try await promote(sides[0], losing: Self.everything)
                // The node that answers it has not said yet what it has.
                await #expect(throws: LedgerFault.unavailable) {
                    _ = try await sides[1].verdict(principal, "order")
                }
                await #expect(throws: LedgerFault.unavailable) {
                    _ = try await sides[1].verdict(principal, "another")
                }
                // It does so when it is asked for anything.
                #expect(try await sides[0].verdict(principal, "another") == .claimed)
                #expect(try await sides[1].verdict(principal, "order") == .inProgress(first: first))
                _ = try await sides[0].node.ledger.settle(reservation, as: .finished(usage))
            }
            #expect(
                try await sides[1].verdict(principal, "order")
                    == .ended(
                        IdempotentEnd(
                            requestID: claim.requestID, usage: usage, endState: .finished,
                            answer: nil)))
        }
    }

    @Test func `a node that is asked for nothing writes its claims again by itself`() async throws {
        try await withTwo { sides, principal in
            let claim = try await sides[0].serve(principal, "order", usage)
            let group = ServiceGroup(
                configuration: .init(services: [.init(service: sides[0].claims)], logger: .quiet))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                try await promote(sides[0], losing: Self.everything)
                let isOver = try await eventually {
                    (try? await sides[1].verdict(principal, "order"))
                        == .ended(
                            IdempotentEnd(
                                requestID: claim.requestID, usage: usage, endState: .finished,
                                answer: nil))
                }
                #expect(isOver)
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
    }

    @Test func `a claim that was lost before it was confirmed ends its request, and is free`()
        async throws
    {
        try await withTwo { sides, principal in
            let (request, claim) = sides[0].request(principal, "order")
            #expect(try await sides[0].claims.claim(claim) == .claimed)
            try await promote(sides[0], losing: Self.everything)
            guard case .admitted(let reservation) = try await sides[0].node.ledger.admit(request)
            else { throw OnceUnderTest.Unexpected() }
            #expect(try await sides[0].node.ledger.acceptance(of: reservation) == .accepted)
            #expect(try await !sides[0].claims.confirm(claim))
            _ = try await sides[0].node.ledger.settle(reservation, as: .void)
            await sides[0].claims.release(claim)
            await sides[0].claims.restoreMoved()
            #expect(try await sides[1].verdict(principal, "order") == .claimed)
        }
    }

    @Test func `an older claim that came back gives way, and a younger one does not`()
        async throws
    {
        try await withTwo { sides, principal in
            let usage = usage
            let claim = try await sides[0].serve(principal, "order", usage)
            let other = sides[0].request(principal, "order").1.requestID
            func holder() async throws -> IdempotencyVerdict {
                await sides[0].claims.restoreMoved()
                await sides[1].claims.restoreMoved()
                return try await sides[1].verdict(principal, "order")
            }
            func change(_ moved: String) -> String {
                """
                UPDATE idempotent_request SET claimed_at = claimed_at \(moved) interval '1 second',
                    request_id = '\(uuid(other))', is_accepted = true
                WHERE request_id = '\(uuid(claim.requestID))'
                """
            }
            try await promote(sides[0], losing: change("-"))
            #expect(
                try await holder()
                    == .ended(
                        IdempotentEnd(
                            requestID: claim.requestID, usage: usage, endState: .finished,
                            answer: nil)))
            try await promote(sides[0], losing: change("+"))
            #expect(try await holder() == .inProgress(first: other))
        }
    }

    @Test func `a confirmation that was lost is made again`() async throws {
        try await withTwo { sides, principal in
            try await sides[0].serve(principal, "order", usage)
            try await promote(
                sides[0], losing: "UPDATE idempotent_request SET is_accepted = false")
            await sides[0].claims.restoreMoved()
            let sql = "SELECT count(*) FROM idempotent_request WHERE is_accepted"
            #expect(try await sides[0].node.number(sql) == 1)
        }
    }

    @Test func `a claim that was given back is not written again`() async throws {
        try await withTwo { sides, principal in
            let claim = try await sides[0].open(principal, "order") { reservation in
                _ = try await sides[0].node.ledger.settle(reservation, as: .void)
            }
            await sides[0].claims.release(claim)
            try await promote(sides[0], losing: Self.everything)
            await sides[0].claims.restoreMoved()
            #expect(try await sides[1].verdict(principal, "order", body: "other") == .claimed)
        }
    }

    @Test func `nobody waits for a node that is dead`() async throws {
        try await withTwo { sides, principal in
            try await sides[0].node.execute(
                """
                INSERT INTO node_lane (shard, node_id, epoch, live, heartbeat_at)
                SELECT shard, 99, '00000000-0000-0000-0000-000000000099', false,
                    now() - interval '1 minute'
                FROM node_lane LIMIT 1
                """)
            try await sides[0].node.execute(
                "INSERT INTO idempotent_node (shard, node_id, timeline) SELECT shard, 99, 7 FROM node_lane LIMIT 1"
            )
            #expect(try await sides[1].verdict(principal, "order") == .claimed)
            try await sides[0].node.execute(
                "UPDATE node_lane SET heartbeat_at = now() WHERE node_id = 99")
            await #expect(throws: LedgerFault.unavailable) {
                _ = try await sides[1].verdict(principal, "another")
            }
            try await sides[0].node.execute("DELETE FROM node_lane WHERE node_id = 99")
        }
    }

    /// As SQL reads it.
    private func uuid(_ id: RequestID) -> String {
        let digits = String(id.rawValue, radix: 16)
        return String(repeating: "0", count: 32 - digits.count) + digits
    }
}
