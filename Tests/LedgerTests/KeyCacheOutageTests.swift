import Domain
import Postgres
import TestSupport
import Testing

@testable import Ledger

@Suite struct KeyCacheOutage {
    @Test func `while the database is away a key not in memory is a fault, never a refusal`()
        async throws
    {
        let cached = try CachedFixture()
        let (_, token) = try cached.fixture.mint()
        cached.source.fail(ScriptedKeySource.away)
        for _ in 0..<5 {
            await #expect(throws: KeyDirectoryFault.unavailable) {
                try await cached.directory.check(token)
            }
        }
        // Asked once; then the database is left alone for a moment.
        #expect(cached.source.reads == 1)
        cached.source.fail(nil)
        cached.time.advance(by: CachedKeyDirectory.pauseAfterFailure)
        #expect(try await cached.directory.check(token).principal != nil)
    }

    @Test func `all who wait for a read that fails are told so`() async throws {
        let cached = try CachedFixture()
        let (_, token) = try cached.fixture.mint()
        cached.source.fail(ScriptedKeySource.away)
        cached.source.gate.close()
        let directory = cached.directory
        let faults = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<16 {
                group.addTask {
                    do { _ = try await directory.check(token) } catch { return true }
                    return false
                }
            }
            await cached.source.gate.arrivals(1)
            cached.source.gate.open()
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(faults == 16)
    }

    @Test func `a key in memory works for sixty seconds after it was last confirmed`() async throws
    {
        let cached = try CachedFixture()
        let (_, token) = try cached.fixture.mint()
        #expect(try await cached.directory.check(token).principal != nil)
        cached.source.fail(ScriptedKeySource.away)
        await #expect(throws: PostgresError.self) { try await cached.directory.refresh() }
        cached.time.advance(by: .milliseconds(59_999))
        #expect(try await cached.directory.check(token).principal != nil)
        // A wrong secret is refused from memory as ever.
        var wrong = Array(token.dropLast(6))
        wrong[30] = wrong[30] == UInt8(ascii: "b") ? UInt8(ascii: "c") : UInt8(ascii: "b")
        wrong += Array(Base62.encode(UInt64(CRC32.checksum(wrong)), width: 6).utf8)
        #expect(try await cached.directory.check(wrong).isRefused)
        cached.time.advance(by: .milliseconds(1))
        await #expect(throws: KeyDirectoryFault.unavailable) {
            try await cached.directory.check(token)
        }
    }

    @Test func `a read that finds an unreadable row is a fault and does not block other keys`()
        async throws
    {
        let cached = try CachedFixture()
        let (_, token) = try cached.fixture.mint()
        cached.source.fail(PostgresError(kind: .decoding(reason: "a quota of the future")))
        await #expect(throws: KeyDirectoryFault.unavailable) {
            try await cached.directory.check(token)
        }
        cached.source.fail(nil)
        #expect(try await cached.directory.check(token).principal != nil)
    }
}

@Suite struct KeyCacheRefresh {
    @Test func `a revoked key is refused after the next poll, and reported`() async throws {
        let cached = try CachedFixture()
        let (record, token) = try cached.fixture.mint()
        let (other, otherToken) = try cached.fixture.mint("other")
        #expect(try await cached.directory.check(token).principal != nil)
        #expect(try await cached.directory.check(otherToken).principal != nil)
        _ = try cached.fixture.store.keys.revoke(record.id)
        #expect(try await cached.directory.check(token).principal != nil)
        try await cached.directory.refresh()
        #expect(try await cached.directory.check(token).isRefused)
        #expect(try await cached.directory.check(otherToken).principal?.key == other.id)
        #expect(cached.changes.all == [KeyChange(key: record.id, end: .revoked)])
    }

    @Test func `a changed quota is in the principal after the next poll`() async throws {
        let cached = try CachedFixture()
        let (record, token) = try cached.fixture.mint()
        let quota = Quota(subject: record.subject, resource: .tokens, period: .day, limit: 9)
        #expect(try await cached.directory.check(token).principal?.quotas == [])
        try cached.fixture.store.setQuota(quota, organization: cached.fixture.organization)
        try await cached.directory.refresh()
        #expect(try await cached.directory.check(token).principal?.quotas == [quota])
        #expect(cached.changes.all == [KeyChange(key: record.id, end: nil)])
        // Whether it rides outages is a change like any other, though the limit stays.
        _ = try cached.fixture.store.apply(
            [.setQuota(.tokens, .day, limit: 9, ridesOutages: false)], subject: record.subject,
            organization: cached.fixture.organization)
        try await cached.directory.refresh()
        #expect(
            try await cached.directory.check(token).principal?.quotas.map(\.ridesOutages)
                == [false])
        #expect(cached.changes.all.count == 2)
        // Everything is read again once, not at every poll.
        let reads = cached.source.reads
        try await cached.directory.refresh()
        #expect(cached.source.reads == reads)
    }

    @Test func `polls alone keep a key in memory for ever, without reading it`() async throws {
        let cached = try CachedFixture()
        let (_, token) = try cached.fixture.mint()
        #expect(try await cached.directory.check(token).principal != nil)
        for _ in 0..<120 {
            cached.time.advance(by: .seconds(1))
            try await cached.directory.refresh()
        }
        #expect(try await cached.directory.check(token).principal != nil)
        #expect(cached.source.reads == 1)
    }

    @Test func `without polls a record is read again after thirty seconds`() async throws {
        let cached = try CachedFixture()
        let (record, token) = try cached.fixture.mint()
        #expect(try await cached.directory.check(token).principal != nil)
        _ = try cached.fixture.store.keys.revoke(record.id)
        cached.time.advance(by: .seconds(30))
        #expect(try await cached.directory.check(token).isRefused)
        #expect(cached.source.reads == 2)
    }

    @Test func `a revocation seen while a read is under way is not undone by its answer`()
        async throws
    {
        let cached = try CachedFixture()
        let (record, token) = try cached.fixture.mint()
        let (_, otherToken) = try cached.fixture.mint("other")
        #expect(try await cached.directory.check(otherToken).principal != nil)
        cached.source.gate.close()
        let directory = cached.directory
        async let answer = directory.check(token)
        // The read has seen the key as valid and is held. Meanwhile the key is revoked, and a poll
        // learns of it.
        await cached.source.gate.arrivals(2)
        _ = try cached.fixture.store.keys.revoke(record.id)
        async let refreshed: Void = directory.refresh()
        await cached.source.gate.arrivals(3)
        cached.source.gate.open()
        try await refreshed
        _ = try await answer
        try await directory.refresh()
        #expect(try await directory.check(token).isRefused)
    }
}
