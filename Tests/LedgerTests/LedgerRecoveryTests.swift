import Domain
import Foundation
import Ledger
import Postgres
import TestSupport
import Testing

/// Restarts on the same disk. The disk of a dead process is a copy of a living one's folder, taken
/// in the middle of things: what a kill leaves behind.
@Suite(.serialized) struct LedgerRecoveryTests {
    private func makeFolder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("node-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    private func copyOf(_ folder: URL) throws -> URL {
        let copy = FileManager.default.temporaryDirectory
            .appendingPathComponent("node-\(UUID().uuidString)")
        try FileManager.default.copyItem(at: folder, to: copy)
        return copy
    }

    /// A node with one accepted request of which 20 + 30 tokens were delivered; the body gets a
    /// copy of its disk.
    private func withOpenRequest(
        on database: TestDatabase,
        _ body: (PostgresUnderTest, RequestID, Principal, URL) async throws -> Void
    ) async throws {
        let folder = try makeFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        try await PostgresUnderTest.run(on: database, folder: folder.path) { node in
            let principal = try await node.principal(
                quotas: [(.key, .tokens, .total, 1000), (.team, .requests, .day, 10)],
                rateLimits: [])
            guard
                case .admitted(let reservation) = try await node.ledger.admit(
                    node.request(principal, prompt: 100, completion: 200))
            else {
                Issue.record("denied")
                return
            }
            let id = reservation.requestID
            #expect(try await node.ledger.acceptance(of: reservation) == .accepted)
            node.ledger.note(TokenUsage(prompt: 20, completion: 30), of: reservation)
            let copy = try copyOf(folder)
            defer { try? FileManager.default.removeItem(at: copy) }
            try await body(node, id, principal, copy)
            // The first process has long been dead in this story; its end is of no interest.
            _ = try? await node.ledger.settle(reservation, as: .void)
        }
    }

    @Test func `a killed node's request is settled at what was delivered, once, when it is back`()
        async throws
    {
        let database = try TestDatabase.make()
        try await withOpenRequest(on: database) { _, id, principal, disk in
            for _ in 0..<2 {
                try await PostgresUnderTest.run(on: database, folder: disk.path) { node in
                    let isReady = try await eventually { node.node.isReady }
                    #expect(isReady)
                    let parameters: [PostgresValue] = [.uuid(id.rawValue)]
                    #expect(
                        try await node.number(
                            "SELECT charged FROM usage WHERE request_id = $1 AND basis = 3",
                            parameters) == 50)
                    #expect(try await node.number("SELECT count(*) FROM reservation") == 0)
                    #expect(try await node.number("SELECT count(*) FROM usage") == 1)
                    #expect(try await node.used(node.account(principal.quotas[0])) == 50)
                    #expect(try await node.used(node.account(principal.quotas[1])) == 1)
                }
            }
        }
    }

    @Test func `a request swept at its bound is corrected once when the journal returns`()
        async throws
    {
        let database = try TestDatabase.make()
        try await withOpenRequest(on: database) { node, id, principal, disk in
            let silence = "UPDATE node_lane SET heartbeat_at = now() - interval '1 hour'"
            try await PostgresUnderTest.run(
                on: database,
                change: {
                    $0.sweepEvery = .milliseconds(50)
                    $0.fenceAfter = .seconds(60)
                }
            ) { other in
                let isSwept = try await eventually {
                    try await other.execute(
                        silence + " WHERE node_id = $1", [.int8(node.node.node)])
                    return try await other.number("SELECT charged FROM usage WHERE basis = 4")
                        == 300
                }
                #expect(isSwept)
            }
            for _ in 0..<2 {
                try await PostgresUnderTest.run(on: database, folder: disk.path) { back in
                    let isReady = try await eventually { back.node.isReady }
                    #expect(isReady)
                    #expect(
                        try await back.number(
                            "SELECT sum(delta)::int8 FROM usage_adj WHERE request_id = $1 AND delta <> 0",
                            [.uuid(id.rawValue)]) == -250)
                    #expect(try await back.used(back.account(principal.quotas[0])) == 50)
                    #expect(try await back.number(LedgerNodeTests.audit) == 0)
                }
            }
        }
    }
}
