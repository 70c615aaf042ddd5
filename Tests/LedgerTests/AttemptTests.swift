import Domain
import Foundation
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// What the ledger keeps of the calls that were made for a request.
@Suite(.serialized) struct `Attempts at requests` {
    /// A refusal, a break, and an answer by the second backend.
    private static let attempts = [
        Attempt(
            backend: "local", outcome: .rateLimited, status: 429, begunAfter: .zero,
            duration: .microseconds(1234), usage: nil),
        Attempt(
            backend: "local", outcome: .unreachable, status: nil, begunAfter: .milliseconds(2),
            duration: .milliseconds(30), usage: TokenUsage(prompt: 20, completion: 7)),
        Attempt(
            backend: "spare", outcome: .answered, status: nil, begunAfter: .milliseconds(40),
            duration: .milliseconds(60), usage: nil),
    ]

    private static func settlement(_ attempts: [Attempt]) -> Settlement {
        var settlement = Settlement(
            usage: TokenUsage(prompt: 20, completion: 9), basis: .reported, endState: .finished,
            timeToFirstToken: .milliseconds(45), duration: .milliseconds(100))
        settlement.attempts = attempts
        return settlement
    }

    private static func two(_ settings: inout LedgerSettings) {
        settings.backends = ["local", "spare"]
    }

    /// Settles a request with these attempts; its id.
    private func serve(
        _ node: PostgresUnderTest, _ principal: Principal, _ attempts: [Attempt]
    ) async throws -> RequestID {
        let request = node.request(principal, prompt: 50, completion: 50)
        guard case .admitted(let reservation) = try await node.ledger.admit(request) else {
            Issue.record("denied")
            return request.requestID
        }
        #expect(try await node.ledger.acceptance(of: reservation) == .accepted)
        _ = try await node.ledger.settle(reservation, as: Self.settlement(attempts))
        return request.requestID
    }

    private func story(_ node: PostgresUnderTest, _ id: RequestID) throws -> RequestStory? {
        let connection = try node.database.connection()
        defer { connection.close() }
        guard
            case .story(let story) = try ExplainStore(connection).explain(
                id, organization: .default)
        else { return nil }
        return story
    }

    @Test func `attempts stand beside the record, which names who answered`() async throws {
        let database = try TestDatabase.make()
        try await PostgresUnderTest.run(on: database, change: Self.two) { node in
            let principal = try await node.principal(
                quotas: [(.key, .tokens, .total, 1_000_000)], rateLimits: [])
            let id = try await serve(node, principal, Self.attempts)
            let story = try #require(try story(node, id))
            #expect(story.attempts == Self.attempts)
            #expect(story.backend == "spare")
            // Charged once, whatever the others used.
            #expect(try await node.used(node.account(principal.quotas[0])) == 29)
        }
    }

    @Test func `a request that its first call answered leaves no row`() async throws {
        let database = try TestDatabase.make()
        try await PostgresUnderTest.run(on: database, change: Self.two) { node in
            let principal = try await node.principal(quotas: [], rateLimits: [])
            let id = try await serve(node, principal, [])
            #expect(try story(node, id)?.backend == "local")
            #expect(try await node.number("SELECT count(*) FROM request_attempt") == 0)
        }
    }

    @Test func `what a killed node had settled is there with its attempts when it is back`()
        async throws
    {
        let database = try TestDatabase.make()
        let manager = FileManager.default
        let folder = manager.temporaryDirectory.appendingPathComponent("node-\(UUID().uuidString)")
        let disk = manager.temporaryDirectory.appendingPathComponent("node-\(UUID().uuidString)")
        try manager.createDirectory(at: folder, withIntermediateDirectories: true)
        defer {
            try? manager.removeItem(at: folder)
            try? manager.removeItem(at: disk)
        }
        try await PostgresUnderTest.run(on: database, folder: folder.path, change: Self.two) {
            node in
            let principal = try await node.principal(
                quotas: [(.key, .tokens, .total, 1_000_000)], rateLimits: [])
            let request = node.request(principal, prompt: 50, completion: 50)
            guard case .admitted(let reservation) = try await node.ledger.admit(request) else {
                Issue.record("denied")
                return
            }
            #expect(try await node.ledger.acceptance(of: reservation) == .accepted)
            // The ledger is away, so that the settlement is on the disk and nowhere else.
            try database.takeAway()
            let isAway = try await eventually { !node.node.isReady }
            #expect(isAway)
            let id = request.requestID
            _ = try? await node.ledger.settle(reservation, as: Self.settlement(Self.attempts))
            try manager.copyItem(at: folder, to: disk)
            let restored = try database.copy(staysAway: true)
            for _ in 0..<2 {
                try await PostgresUnderTest.run(on: restored, folder: disk.path, change: Self.two) {
                    again in
                    let isReady = try await eventually { again.node.isReady }
                    #expect(isReady)
                    let story = try #require(try story(again, id))
                    #expect(story.attempts == Self.attempts && story.backend == "spare")
                }
            }
            try database.bringBack()
        }
    }

    @Test func `attempts survive the journal, and a journal from before them is read`() throws {
        let id = RequestID(rawValue: 5)
        for attempts in [Self.attempts, []] {
            let bytes = JournalRecord.closed(id, Self.settlement(attempts)).encoded(sequence: 3)
            // The kind of the record, behind its header: the one of before where there is no need
            // for another.
            #expect(bytes[16] == (attempts.isEmpty ? 2 : 7))
            guard case .closed(id, let read) = try JournalRecord.decode(bytes[8...]).record else {
                Issue.record("no closing")
                return
            }
            #expect(read == Self.settlement(attempts))
        }
        // Cut anywhere it is refused, never misread.
        let whole = JournalRecord.closed(id, Self.settlement(Self.attempts)).encoded(sequence: 3)
        for end in 9..<whole.count {
            #expect(throws: ByteDecoder.Malformed.self) {
                try JournalRecord.decode(whole[8..<end])
            }
        }
    }

    @Test func `attempts go with the day of their record`() throws {
        let books = try AuditBooks()
        try books.run(
            """
            INSERT INTO request_attempt (shard, day, request_id, number, backend_id, outcome,
                begun_after_us, duration_us)
            SELECT u.shard, u.day, u.request_id, 1, u.backend_id, 1, 0, 0 FROM usage u;
            """)
        let before = try #require(try books.number("SELECT count(*) FROM request_attempt"))
        #expect(try books.store.retention.drop(keeping: 3).dropped.map(\.records) == [4, 4, 4])
        #expect(try books.number("SELECT count(*) FROM request_attempt") == before - 12)
    }
}
