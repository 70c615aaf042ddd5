import Domain
import Logging
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import Ledger

@Suite struct KeyNoting {
    @Test func `a use is shown after the next note, for each secret by itself`() async throws {
        let cached = try CachedFixture()
        let keys = cached.fixture.store.keys
        let (record, token) = try cached.fixture.mint()
        let rotation = try keys.rotate(
            record.id, grace: .seconds(3600), pepper: cached.fixture.pepper)
        let new = rotation.new.id
        _ = rotation.takeSecret()
        let revision = try cached.fixture.revision()
        #expect(try await cached.directory.check(token).principal != nil)
        #expect(try keys.find(record.id)?.lastUsedAt == nil)
        try await cached.directory.flush()
        let first = try #require(try keys.find(record.id)?.lastUsedAt)
        #expect(try keys.find(new)?.lastUsedAt == nil)
        // Noting is no change of the directory: no gateway reads a key again for it.
        #expect(try cached.fixture.revision() == revision)
        cached.time.advance(by: .seconds(20))
        #expect(try await cached.directory.check(token).principal != nil)
        try await cached.directory.flush()
        let second = try #require(try keys.find(record.id)?.lastUsedAt)
        #expect(second > first)
        // An older word of another gateway does not take it back.
        try await cached.source.note([(record.id, first)], in: record.id.shard)
        #expect(try keys.find(record.id)?.lastUsedAt == second)
    }

    @Test func `a busy key is noted once in fifteen seconds, and a refused one never`()
        async throws
    {
        let cached = try CachedFixture()
        let (record, token) = try cached.fixture.mint()
        var wrong = token
        wrong[wrong.count - 20] ^= 1
        #expect(try await cached.directory.check(wrong).isRefused)
        for _ in 0..<1000 { #expect(try await cached.directory.check(token).principal != nil) }
        let batches = cached.directory.notes.withLock { $0.take() }
        #expect(batches[record.id.shard]?.uses.count == 1)
        for _ in 0..<1000 { #expect(try await cached.directory.check(token).principal != nil) }
        #expect(cached.directory.notes.withLock { $0.take() }.isEmpty)
        _ = try cached.fixture.store.keys.suspend(record.id, reason: nil)
        try await cached.directory.refresh()
        cached.time.advance(by: .seconds(20))
        #expect(try await cached.directory.check(token).suspended == .key)
        #expect(cached.directory.notes.withLock { $0.take() }.isEmpty)
    }

    @Test func `what cannot be written while the database is away is written later`() async throws {
        let cached = try CachedFixture()
        let (record, token) = try cached.fixture.mint()
        #expect(try await cached.directory.check(token).principal != nil)
        cached.source.fail(ScriptedKeySource.away)
        await #expect(throws: PostgresError.self) { try await cached.directory.flush() }
        cached.source.fail(nil)
        try await cached.directory.flush()
        #expect(try cached.fixture.store.keys.find(record.id)?.lastUsedAt != nil)
    }
}

@Suite struct PepperRotation {
    /// A gateway with these peppers, the current one first.
    private static func directory(
        _ fixture: DirectoryFixture, _ peppers: [Pepper], _ time: TestTime = TestTime()
    ) throws -> CachedKeyDirectory {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let pool = try PostgresPool(
            url: fixture.database.url, connectionOptions: CachedKeyDirectory.connectionOptions,
            options: CachedKeyDirectory.poolOptions, logger: logger)
        return CachedKeyDirectory(
            peppers: peppers, pool: pool, time: time, random: DirectoryFixture.random,
            logger: logger, onChange: { _ in })
    }

    @Test func `a new pepper comes in and the old one goes without any tenant noticing`()
        async throws
    {
        let fixture = try DirectoryFixture()
        let old = fixture.pepper
        let new = try Pepper(id: 2, bytes: (0..<32).map { UInt8(200 - $0) })
        let (used, usedToken) = try fixture.mint("used")
        let (idle, idleToken) = try fixture.mint("idle")
        func pepper(_ id: KeyID) throws -> Int16? { try fixture.store.keys.find(id)?.pepperID }

        // First every gateway learns the new one, as its second: nothing moves.
        let prepared = try Self.directory(fixture, [old, new])
        #expect(try await prepared.check(usedToken).principal != nil)
        try await prepared.flush()
        #expect(try pepper(used.id) == 1)

        // Then it is the current one: a key moves as it is used, whoever else still has the other
        // order.
        let moving = try Self.directory(fixture, [new, old])
        #expect(try await moving.check(usedToken).principal != nil)
        try await moving.flush()
        #expect(try pepper(used.id) == 2 && pepper(idle.id) == 1)
        #expect(try await prepared.check(usedToken).principal != nil)
        let other = try Self.directory(fixture, [old, new])
        #expect(try await other.check(usedToken).principal != nil)
        #expect(try await other.check(idleToken).principal != nil)

        // At last without the old one: who has moved works, who has not is refused.
        let done = try Self.directory(fixture, [new])
        #expect(try await done.check(usedToken).principal != nil)
        #expect(try await done.check(idleToken).isRefused)
        #expect(try await Self.directory(fixture, [new, old]).check(idleToken).principal != nil)
    }

    @Test func `a digest that changed meanwhile is not overwritten`() async throws {
        let fixture = try DirectoryFixture()
        let (record, token) = try fixture.mint()
        let new = try Pepper(id: 2, bytes: (0..<32).map { UInt8(200 - $0) })
        let moving = try Self.directory(fixture, [new, fixture.pepper])
        #expect(try await moving.check(token).principal != nil)
        _ = try fixture.rows("UPDATE api_key SET mac = sha256('another'), pepper_id = 3")
        try await moving.flush()
        #expect(try fixture.store.keys.find(record.id)?.pepperID == 3)
    }
}
