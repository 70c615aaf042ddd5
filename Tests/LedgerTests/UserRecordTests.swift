import Domain
import Foundation
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// For which of its own users a client asked, as the ledger keeps it.
@Suite(.serialized) struct `A client's own users` {
    private static let user = UserHash(rawValue: 0x0102_0304_0506_0708_090A_0B0C_0D0E_0F00)

    private static func pepper(_ first: UInt8) throws -> Pepper {
        try Pepper(id: 1, bytes: (0..<40).map { first &+ UInt8($0) })
    }

    private func story(_ database: TestDatabase, _ id: RequestID) throws -> RequestStory? {
        let connection = try database.connection()
        defer { connection.close() }
        guard
            case .story(let story) = try ExplainStore(connection).explain(
                id, organization: .default)
        else { return nil }
        return story
    }

    /// Admits a request for a user, and waits for the ledger's word.
    private func open(
        _ node: PostgresUnderTest, _ principal: Principal, for user: UserHash?
    ) async throws -> Reservation {
        var request = node.request(principal, prompt: 50, completion: 50)
        request.user = user
        guard case .admitted(let reservation) = try await node.ledger.admit(request) else {
            throw PostgresError(kind: .invalid(reason: "denied"))
        }
        #expect(try await node.ledger.acceptance(of: reservation) == .accepted)
        return reservation
    }

    private static func folder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("node-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    @Test func `have one hash in an organization, another in the next and under another secret`()
        throws
    {
        let hasher = UserHasher(try Self.pepper(1))
        let (one, two) = (OrganizationID(rawValue: 1), OrganizationID(rawValue: 2))
        let known = hasher.hash("ada@example.com", of: one)
        #expect(known == UserHasher(try Self.pepper(1)).hash("ada@example.com", of: one))
        #expect(known != hasher.hash("bob@example.com", of: one))
        #expect(known != hasher.hash("ada@example.com", of: two))
        #expect(known != UserHasher(try Self.pepper(2)).hash("ada@example.com", of: one))
        // Nor is it what the pepper makes of the same bytes as a key's token.
        let digest = try Self.pepper(1).digest(of: Array("ada@example.com".utf8))
        #expect(Array(digest.prefix(16)) != known.bytes)
        #expect(UserHash(bytes: known.bytes) == known && "\(known)".utf8.count == 32)
        #expect("\(UserHash(rawValue: 10))" == String(repeating: "0", count: 31) + "a")
        #expect(UserHash(bytes: [1, 2]) == nil)
    }

    @Test func `are told of their requests, open, settled and void, and of no others`() async throws
    {
        let database = try TestDatabase.make()
        try await PostgresUnderTest.run(on: database) { node in
            let principal = try await node.principal(
                quotas: [(.key, .tokens, .total, 1_000_000)], rateLimits: [])
            for user in [Self.user, nil] {
                let open = try await open(node, principal, for: user)
                let id = open.requestID
                #expect(try story(database, id)?.user == user)
                _ = try await node.ledger.settle(open, as: .void)
                #expect(try story(database, id)?.user == user)
            }
            #expect(try await node.number("SELECT count(*) FROM usage_user") == 1)
            let connection = try database.connection()
            defer { connection.close() }
            let now = SystemTime().wall
            let page = try ReportStore(connection).export(
                ExportQuery(
                    organization: .default, team: nil, key: nil,
                    since: Timestamp(microseconds: now.microseconds - 60_000_000),
                    until: Timestamp(microseconds: now.microseconds + 60_000_000)),
                from: ExportPosition(day: now.day, after: RequestID(rawValue: 0)))
            #expect(Set(page.records.map(\.user)) == [Self.user, nil])
        }
    }

    @Test func `of a key that is refused leave nothing`() async throws {
        let database = try TestDatabase.make()
        try await PostgresUnderTest.run(on: database) { node in
            let principal = try await node.principal(quotas: [], rateLimits: [])
            try await node.revoke(principal.key)
            var request = node.request(principal, prompt: 50, completion: 50)
            request.user = Self.user
            guard case .admitted(let reservation) = try await node.ledger.admit(request) else {
                Issue.record("denied")
                return
            }
            #expect(try await node.ledger.acceptance(of: reservation) == .keyRefused)
            _ = try await node.ledger.settle(reservation, as: .void)
            #expect(try await node.number("SELECT count(*) FROM usage_user") == 0)
        }
    }

    @Test func `of a node that died are known to the sweep, without its disk`() async throws {
        let database = try TestDatabase.make()
        try await PostgresUnderTest.run(on: database) { node in
            let principal = try await node.principal(
                quotas: [(.key, .tokens, .total, 1000)], rateLimits: [])
            let open = try await open(node, principal, for: Self.user)
            let id = open.requestID
            try await PostgresUnderTest.run(
                on: database,
                change: {
                    $0.sweepEvery = .milliseconds(50)
                    $0.fenceAfter = .seconds(60)
                }
            ) { other in
                let isSwept = try await eventually {
                    try await other.execute(
                        "UPDATE node_lane SET heartbeat_at = now() - interval '1 hour'"
                            + " WHERE node_id = $1", [.int8(node.node.node)])
                    return try await other.number("SELECT count(*) FROM usage WHERE basis = 4") == 1
                }
                #expect(isSwept)
                #expect(try story(database, id)?.user == Self.user)
            }
            _ = try? await node.ledger.settle(open, as: .void)
        }
    }

    @Test func `of a node that was killed in an outage come back with its journal`() async throws {
        let database = try TestDatabase.make()
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let disk = try Self.folder()
        defer { try? FileManager.default.removeItem(at: disk) }
        try await PostgresUnderTest.run(on: database, folder: folder.path) { node in
            let principal = try await node.principal(
                quotas: [(.key, .tokens, .total, 1_000_000)], rateLimits: [])
            for _ in 0..<8 { #expect(try await node.isServed(principal)) }
            try database.takeAway()
            let isAway = try await eventually { !node.node.isReady }
            #expect(isAway)
            let open = try await open(node, principal, for: Self.user)
            let id = open.requestID
            node.ledger.note(TokenUsage(prompt: 20, completion: 5), of: open)
            try FileManager.default.removeItem(at: disk)
            try FileManager.default.copyItem(at: folder, to: disk)
            let restored = try database.copy(staysAway: true)
            for _ in 0..<2 {
                try await PostgresUnderTest.run(on: restored, folder: disk.path) { again in
                    let isRecorded = try await eventually {
                        try await again.number("SELECT count(*) FROM usage WHERE basis = 6") == 1
                    }
                    #expect(isRecorded)
                    #expect(try story(restored, id)?.user == Self.user)
                    #expect(try await again.number("SELECT count(*) FROM usage_user") == 1)
                }
            }
            _ = try? await node.ledger.settle(open, as: .void)
            try database.bringBack()
        }
    }

    @Test func `survive the journal, and cut off there they are refused, not misread`() throws {
        for user in [Self.user, nil] {
            var opening = Opening(
                requestID: RequestID(rawValue: 5), key: KeyID(rawValue: 7), modelNumber: 1,
                backendNumber: 2, price: nil, bound: TokenBound(prompt: 1, completion: 2),
                claims: [], admittedAt: Timestamp(microseconds: 1))
            opening.user = user
            let record = JournalRecord.opened(
                opening, lane: LaneKey(shard: 3, node: 7, epoch: 9), slot: 1,
                boot: BootID(rawValue: 7))
            let body = record.encoded(sequence: 1)[8...]
            guard case .opened(let read, _, _, _) = try JournalRecord.decode(body).record else {
                Issue.record("another record")
                return
            }
            #expect(read.user == user)
            guard user != nil else { continue }
            for missing in 1..<16 {
                #expect(throws: ByteDecoder.Malformed.self) {
                    try JournalRecord.decode(body.dropLast(missing))
                }
            }
        }
    }
}
