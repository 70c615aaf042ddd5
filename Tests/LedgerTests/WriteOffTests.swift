import Domain
import Foundation
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// A node that rode out an outage and died in it, and the operator who gives up on its disk.
@Suite(.serialized) struct WriteOffTests {
    private static let limit: Int64 = 100_000

    /// What is left of a node that died in an outage: its number, its disk, and the request that
    /// only the disk knows.
    private struct Dead {
        let node: Int64
        let disk: URL
        let principal: Principal
        let unseen: RequestID
    }

    private func makeFolder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("node-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    /// A node serves eight requests of 20 tokens with the ledger, one of 30 without it, and dies.
    private func dieInOutage(
        on database: TestDatabase, isSoft: Bool = false
    ) async throws -> Dead {
        let folder = try makeFolder()
        let disk = try makeFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        var dead: Dead?
        try await PostgresUnderTest.run(
            on: database, folder: folder.path, change: { $0.drainWait = .zero }
        ) { node in
            let hard = try await node.principal(
                quotas: [(.key, .tokens, .total, isSoft ? 100 : Self.limit)], rateLimits: [])
            let principal = hard.having(hard.quotas.map { $0.soft(isSoft) })
            if isSoft { try await node.execute("UPDATE quota SET soft = true") }
            for _ in 0..<8 {
                _ = try #require(
                    try await node.serve(
                        node.request(principal, prompt: 50, completion: 50),
                        using: TokenUsage(prompt: 10, completion: 10)))
            }
            let isSettled = try await eventually {
                try await node.number("SELECT count(*) FROM reservation") == 0
            }
            #expect(isSettled)
            try database.takeAway()
            let isAway = try await eventually { !node.node.isReady }
            #expect(isAway)
            let unseen = node.request(principal, prompt: 50, completion: 50)
            _ = try #require(
                try await node.serve(unseen, using: TokenUsage(prompt: 20, completion: 10)))
            let copy = disk.appendingPathComponent("node")
            try FileManager.default.copyItem(at: folder, to: copy)
            dead = Dead(
                node: node.node.node, disk: copy, principal: principal,
                unseen: unseen.requestID)
        }
        try database.bringBack()
        return try #require(dead)
    }

    /// Runs `body` with another node that has found the dead one and swept it, and has kept its lease
    /// or not.
    private func afterSweep(
        of dead: Dead, on database: TestDatabase, keeping kept: Int64 = 1,
        _ body: (PostgresUnderTest, DirectoryStore) async throws -> Void
    ) async throws {
        defer {
            try? FileManager.default.removeItem(at: dead.disk.deletingLastPathComponent())
        }
        try await PostgresUnderTest.run(
            on: database, change: { $0.sweepEvery = .milliseconds(50) }
        ) { other in
            try await other.execute(
                """
                UPDATE node_lane SET heartbeat_at = now() - interval '1 hour' WHERE node_id = $1
                """, [.int8(dead.node)])
            let isSwept = try await eventually {
                let leases = try await other.number(
                    """
                    SELECT count(*) FROM lease l JOIN node_lane n USING (shard, node_id, epoch)
                    WHERE n.node_id = $1 AND ($2 = 0 OR l.rides AND l.settled = 0)
                    """, [.int8(dead.node), .int8(kept)])
                let fenced = try await other.number(
                    "SELECT count(*) FROM node_lane WHERE NOT live AND node_id = $1",
                    [.int8(dead.node)])
                return fenced == 1 && leases == kept
            }
            #expect(isSwept)
            try await body(
                other,
                try DirectoryStore(
                    url: database.url, random: DirectoryFixture.random, author: .test))
        }
    }

    @Test func `what a dead node may have spent is kept until it is written off, never afterwards`()
        async throws
    {
        let database = try TestDatabase.make()
        let dead = try await dieInOutage(on: database)
        try await afterSweep(of: dead, on: database) { other, store in
            let status = try #require(try store.nodes.list().first { $0.node == dead.node })
            #expect(status.state == .fenced && status.leases == 1 && status.openRequests == 0)
            let kept = try #require(status.leased[.tokens])
            #expect(kept > 0)
            let warnings = try store.auditor.audit(nil, depth: .complete).findings
            #expect(warnings.map(\.weight) == [.warning])
            #expect(warnings.allSatisfy { $0.expected.contains("node write-off \(dead.node)`") })

            // All that was never used is more than others may have until then.
            let everything = Self.limit - 8 * 20
            func request(_ units: Int64) -> AdmissionRequest {
                other.request(dead.principal, prompt: units - 1, completion: 1)
            }
            #expect(try await other.denial(of: request(everything - kept + 1)) != nil)
            let done = try store.nodes.writeOff(dead.node)
            var returned = WriteOff.Returned()
            (returned.leases, returned.units) = (1, [.tokens: kept])
            #expect(done == .done(returned))
            #expect(try store.nodes.writeOff(dead.node) == .done(WriteOff.Returned()))
            let isFree = try await eventually {
                try await other.denial(of: request(everything)) == nil
            }
            #expect(isFree)
            #expect(try store.auditor.audit(nil, depth: .complete).findings == [])
        }
    }

    @Test func `a node that returns after its write-off is recorded, and charged to nobody`()
        async throws
    {
        let database = try TestDatabase.make()
        let dead = try await dieInOutage(on: database)
        try await afterSweep(of: dead, on: database) { other, store in
            guard case .done = try store.nodes.writeOff(dead.node) else {
                Issue.record("refused")
                return
            }
            // Others use what came back, all of it.
            let rest = Self.limit - 8 * 20
            let isUsed = try await eventually {
                try await other.serve(
                    other.request(dead.principal, prompt: rest - 1, completion: 1),
                    using: TokenUsage(prompt: rest - 1, completion: 1)) != nil
            }
            #expect(isUsed)
            for _ in 0..<2 {
                try await PostgresUnderTest.run(on: database, folder: dead.disk.path) { back in
                    let isReady = try await eventually { back.node.isReady }
                    #expect(isReady)
                    #expect(back.node.node == dead.node)
                    let found = try await back.number(
                        """
                        SELECT charged FROM usage WHERE request_id = $1 AND basis = 6
                            AND account_ids = '{}' AND charges = '{}'
                        """, [.uuid(dead.unseen.rawValue)])
                    #expect(found == 30)
                    let account = back.account(dead.principal.quotas[0])
                    #expect(try await back.used(account) == Self.limit)
                    #expect(try await back.number("SELECT count(*) FROM usage") == 8 + 1 + 1)
                }
            }
            #expect(try store.auditor.audit(nil, depth: .complete).findings == [])
        }
    }

    @Test func `a node that returns without a write-off is charged what it did`() async throws {
        let database = try TestDatabase.make()
        let dead = try await dieInOutage(on: database)
        try await afterSweep(of: dead, on: database) { _, store in
            try await PostgresUnderTest.run(on: database, folder: dead.disk.path) { back in
                let isReady = try await eventually { back.node.isReady }
                #expect(isReady)
                let account = back.account(dead.principal.quotas[0])
                #expect(try await back.used(account) == 8 * 20 + 30)
            }
            #expect(try store.auditor.audit(nil, depth: .complete).findings == [])
        }
    }
}

extension WriteOffTests {
    // Kept, it would block the quota once it is hard; its count then lacks what nobody but the disk
    // knew.
    @Test func `a soft quota's slice is not kept; what the disk tells is recorded without it`()
        async throws
    {
        let database = try TestDatabase.make()
        let dead = try await dieInOutage(on: database, isSoft: true)
        try await afterSweep(of: dead, on: database, keeping: 0) { other, store in
            #expect(try await other.used(other.account(dead.principal.quotas[0])) == 8 * 20)
            #expect(try await other.number("SELECT granted - used FROM account") == 0)
            try await PostgresUnderTest.run(on: database, folder: dead.disk.path) { back in
                let isReady = try await eventually { back.node.isReady }
                #expect(isReady)
                let account = back.account(dead.principal.quotas[0])
                #expect(try await back.used(account) == 8 * 20)
                let found = try await back.number(
                    "SELECT charged FROM usage WHERE request_id = $1 AND account_ids = '{}'",
                    [.uuid(dead.unseen.rawValue)])
                #expect(found == 30)
            }
            #expect(try store.auditor.audit(nil, depth: .complete).findings == [])
        }
    }
}

/// Nodes as the tables tell them.
@Suite struct NodeStoreTests {
    /// A dead process' live lane with one open request of 100 and 50 units free, in the audit's
    /// books.
    private func books(silentFor silence: String) throws -> AuditBooks {
        let books = try AuditBooks()
        try books.run("UPDATE node_lane SET heartbeat_at = now() - interval '\(silence)'")
        return books
    }

    @Test(arguments: [("1 second", NodeStatus.State.live), ("20 seconds", .silent)])
    func `a node that was heard of lately is not written off`(
        silence: String, state: NodeStatus.State
    ) throws {
        let books = try books(silentFor: silence)
        #expect(try books.store.nodes.list().map(\.state) == [state])
        guard case .mayBeAlive(let found) = try books.store.nodes.writeOff(7) else {
            Issue.record("written off")
            return
        }
        #expect(found >= .seconds(1) && found < .seconds(60))
        #expect(try books.number("SELECT count(*) FROM lease") == 3)
        #expect(try books.number("SELECT count(*) FROM node_lane WHERE live") == 1)
    }

    @Test func `a fenced node may still ride for a while, and is not written off then`() throws {
        let books = try books(silentFor: "80 seconds")
        try books.run("UPDATE node_lane SET live = false; UPDATE lease SET rides = true")
        #expect(try books.store.nodes.list().map(\.state) == [.fenced])
        guard case .mayBeAlive = try books.store.nodes.writeOff(7) else {
            Issue.record("written off")
            return
        }
        #expect(try books.number("SELECT count(*) FROM lease") == 3)
    }

    @Test func `a node that died with nobody to find it is written off whole`() throws {
        let books = try books(silentFor: "91 seconds")
        try books.run("UPDATE lease SET rides = true")
        let before = try #require(try books.store.nodes.list().first)
        #expect(before.state == .silent && before.openRequests == 1 && before.leases == 3)
        #expect(before.leased == [.tokens: 50, .requests: 50, .cost: 50])
        var returned = WriteOff.Returned()
        (returned.sweptRequests, returned.leases) = (1, 3)
        returned.units = [.tokens: 50, .requests: 50, .cost: 50]
        #expect(try books.store.nodes.writeOff(7) == .done(returned))
        let swept = "SELECT charged FROM usage WHERE basis = 4 AND request_id::text LIKE '%beef'"
        #expect(try books.number(swept) == 100)
        #expect(try books.number("SELECT count(*) FROM lease") == 0)
        #expect(try books.audit(.complete).findings == [])
        let after = try #require(try books.store.nodes.list().first)
        #expect(after.state == .fenced && after.openRequests == 0 && after.leased == [:])
        #expect(try books.store.nodes.writeOff(7) == .done(WriteOff.Returned()))
        // On record is its beginning and its end, and nothing of what changed nothing.
        var query = ActionQuery(organization: nil, limit: 10)
        query.action = .nodeWriteOff
        let actions = try books.store.actions.list(query)
        #expect(actions.map { $0.after?["stage"] } == [.text("finished"), .text("begun")])
        #expect(actions[0].before?["leases"] == .number(3))
        #expect(actions[0].after?["returned_tokens"] == .number(50))
        #expect(actions.allSatisfy { $0.subject.id == 7 && $0.author == .test })
    }

    @Test func `a node that nobody knows is missing`() throws {
        let books = try AuditBooks()
        #expect(throws: LedgerError.self) { try books.store.nodes.writeOff(8) }
    }

    @Test func `a slice left on an older life of a live node is swept, not kept`() throws {
        let books = try AuditBooks()
        try books.run(
            """
            INSERT INTO lease (shard, lease_id, account_id, node_id, epoch, granted, rides)
            VALUES (\(AuditBooks.shard.rawValue), 999, 1, 7,
                '00000000-0000-4000-8000-000000000006', 40, true);
            UPDATE account SET granted = granted + 40 WHERE account_id = 1;
            """)
        let waiting = try books.audit(.complete).findings
        #expect(waiting.map(\.expected) == ["none: they wait for the sweep"])
        let shard = AuditBooks.shard.rawValue
        let connection = books.store.connection
        let abandoned = try connection.execute(
            LaneStatements.abandoned(shard: shard, silentFor: .seconds(15))
        ).rows
        #expect(abandoned.count == 1)
        for row in abandoned {
            let lane = LaneKey(shard: shard, node: try row.int8(0), epoch: try row.uuid(1))
            #expect(try Sweep(lane: lane).run(connection).endedLeases == 1)
        }
        #expect(try books.audit(.complete).findings == [])
    }
}
