import Domain
import Foundation
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// A lane ends when its owner says so. That was left to the clocks once: a heartbeat of the node
/// itself, later by microseconds than the moment at which its end was asked for, kept the lane of a
/// node that had left alive until somebody swept it.
@Suite(.serialized) struct LaneEndTests {
    private static let shard = OrganizationID.default.shard.rawValue
    private let lane = LaneKey(shard: LaneEndTests.shard, node: 1, epoch: 1)

    /// A ledger whose only lane had its last beat `microseconds` after the present.
    private func ledger(beatAhead microseconds: Int64) throws -> DirectoryFixture {
        let fixture = try DirectoryFixture()
        _ = try fixture.store.connection.execute(LaneStatements.insert(lane, timeline: 1))
        _ = try fixture.rows(
            """
            UPDATE node_lane SET heartbeat_at = now() + \(microseconds) * interval '1 microsecond'
            """)
        return fixture
    }

    private func isLive(_ fixture: DirectoryFixture) throws -> Bool {
        try !fixture.rows("SELECT 1 FROM node_lane WHERE live").isEmpty
    }

    @Test func `a node that leaves takes its lane along, though its heartbeat came in between`()
        throws
    {
        let fixture = try ledger(beatAhead: 0)
        let heart = try DirectoryStore(
            url: fixture.database.url, random: DirectoryFixture.random, author: .test)
        // The moment of the question is its transaction's beginning; the beat is later, and first.
        _ = try fixture.rows("BEGIN")
        #expect(try heart.connection.execute(LaneStatements.beat(lane)).rows.count == 1)
        try LaneStart.close(lane, endingLeases: true, fixture.store.connection)
        _ = try fixture.rows("COMMIT")
        #expect(try !isLive(fixture))
    }

    /// A promoted server, or one whose clock was set right.
    @Test func `a node opens its lane anew on a server whose clock is behind the last one's`()
        async throws
    {
        let database = try TestDatabase.make()
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("node-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await PostgresUnderTest.run(on: database, folder: folder.path) { node in
            let principal = try await node.principal(quotas: [], rateLimits: [])
            #expect(try await node.isServed(principal))
        }
        let store = try DirectoryStore(
            url: database.url, random: DirectoryFixture.random, author: .test)
        let killed = PostgresStatement(
            name: nil,
            sql: """
                UPDATE node_lane SET live = true, heartbeat_at = now() + interval '1 hour'
                RETURNING 1
                """)
        #expect(try store.connection.execute(PostgresCommand(killed, [])).rows.count == 1)
        try await PostgresUnderTest.run(on: database, folder: folder.path) { node in
            let principal = try await node.principal(quotas: [], rateLimits: [])
            #expect(try await node.isServed(principal))
        }
    }

    @Test func `nobody else ends a lane that moved lately`() throws {
        let fixture = try ledger(beatAhead: 0)
        let fence = LaneStatements.fence(lane, silentFor: .microseconds(60_000_000))
        #expect(try fixture.store.connection.execute(fence).rows.isEmpty)
        #expect(try isLive(fixture))
    }
}
