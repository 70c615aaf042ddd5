import Domain
import Foundation
import Ledger
import Postgres
import TestSupport
import Testing

/// What a lane counts over the lives of its node. Every node of these tests is audited when it has
/// drained.
@Suite struct `A lane's counts` {
    private static func counts(_ node: PostgresUnderTest) async throws -> [Int64?] {
        var counts: [Int64?] = []
        for column in ["batches - batches_before - last_seq", "opened", "settled"] {
            counts.append(
                try await node.number(
                    "SELECT \(column) FROM node_lane WHERE node_id = $1", [.int8(node.node.node)]))
        }
        return counts
    }

    private static func withFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("node-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }

    @Test func `are of what the ledger took, not of what was sent`() async throws {
        try await PostgresUnderTest.run { node in
            let principal = try await node.principal(quotas: [], rateLimits: [])
            let usage = TokenUsage(prompt: 1, completion: 1)
            for basis in [UsageBasis.reported, .void, .counted] {
                _ = try await node.serve(
                    node.request(principal, prompt: 1, completion: 1), using: usage, basis: basis)
            }
            #expect(try await Self.counts(node) == [0, 3, 3])
            try await node.revoke(principal.key)
            guard
                case .admitted(let refused) = try await node.ledger.admit(
                    node.request(principal, prompt: 1, completion: 1))
            else { return }
            #expect(try await node.ledger.acceptance(of: refused) == .keyRefused)
            _ = try await node.ledger.settle(refused, as: .void)
            #expect(try await Self.counts(node) == [0, 3, 3])
        }
    }

    @Test func `go on over the lives of the node, so that a record of an earlier one is missed`()
        async throws
    {
        let database = try TestDatabase.make()
        try await Self.withFolder { folder in
            for life in 1...3 as ClosedRange<Int64> {
                try await PostgresUnderTest.run(on: database, folder: folder.path) { node in
                    let principal = try await node.principal(
                        quotas: [(.key, .tokens, .total, 1000)], rateLimits: [])
                    for _ in 0..<2 {
                        _ = try await node.serve(
                            node.request(principal, prompt: 1, completion: 1),
                            using: TokenUsage(prompt: 1, completion: 1))
                    }
                    #expect(try await Self.counts(node) == [0, 2 * life, 2 * life])
                }
            }
            try await PostgresUnderTest.run(on: database, folder: folder.path, spoils: true) {
                node in
                // The first life's first record, which was charged to nothing.
                try await node.execute(
                    """
                    WITH gone AS (
                        DELETE FROM usage WHERE settled_at = (SELECT min(settled_at) FROM usage)
                        RETURNING request_id, admitted_at, key_id, account_ids, charges),
                    h AS (
                        UPDATE usage_hour h SET requests = h.requests - 1,
                            prompt_tokens = h.prompt_tokens - 1,
                            completion_tokens = h.completion_tokens - 1, charged = h.charged - 2
                        FROM gone g WHERE h.hour = date_trunc('hour', g.admitted_at, 'UTC')
                            AND h.key_id = g.key_id RETURNING 1)
                    UPDATE account a SET used = used - 2, granted = granted - 2
                    FROM gone g WHERE a.account_id = g.account_ids[1]
                    """)
                let found = try await node.differences()
                #expect(
                    found.map(\.rule) == ["opened = open requests + records", "settled = records"])
                #expect(found.allSatisfy { $0.row == "node_id=\(node.node.node)" })
            }
        }
    }

    @Test func `are made from the rollup where a program without counts opened the lane before`()
        async throws
    {
        let database = try TestDatabase.make()
        try await Self.withFolder { folder in
            for life in 1...2 as ClosedRange<Int64> {
                try await PostgresUnderTest.run(on: database, folder: folder.path) { node in
                    let principal = try await node.principal(quotas: [], rateLimits: [])
                    let isReady = try await eventually { node.node.isReady }
                    #expect(isReady)
                    if life == 1 {
                        try await node.execute(
                            "UPDATE node_lane SET batches = NULL, batches_before = NULL,"
                                + " opened = NULL, settled = NULL")
                    }
                    for _ in 0..<2 {
                        _ = try await node.serve(
                            node.request(principal, prompt: 1, completion: 1),
                            using: TokenUsage(prompt: 1, completion: 1))
                    }
                    #expect(
                        try await Self.counts(node)
                            == (life == 1 ? [nil, nil, nil] : [0, 4, 4]))
                }
            }
        }
    }
}
