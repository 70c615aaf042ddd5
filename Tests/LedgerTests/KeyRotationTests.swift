import Domain
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Ledger

@Suite struct KeyRotation {
    private static let grace = Duration.seconds(86_400)

    /// Rotates a key and returns both records and the new token.
    private static func rotate(
        _ fixture: DirectoryFixture, _ id: KeyID, grace: Duration = grace
    ) throws -> (old: KeyRecord, new: KeyRecord, token: [UInt8]) {
        let rotation = try fixture.store.keys.rotate(id, grace: grace, pepper: fixture.pepper)
        let (old, new) = (rotation.old, rotation.new)
        return (old, new, rotation.takeSecret().withBytes { Array(copy $0) })
    }

    @Test func `a second secret has another id and everything else of the first`() throws {
        let fixture = try DirectoryFixture()
        let (record, token) = try fixture.mint(models: ["tiny"])
        _ = try fixture.store.keys.change(record.id) { terms in
            terms.tags = ["env=prod"]
            terms.endpoints = ["chat"]
            terms.defaultCompletionTokens = 7
            terms.clamps = true
        }
        let (old, new, newToken) = try Self.rotate(fixture, record.id)
        #expect(APIKeyFormat.parse(newToken) == new.id && new.id != record.id)
        #expect(
            newToken != token && new.last4 == String(decoding: newToken.suffix(4), as: UTF8.self))
        #expect(new.subjectID == record.subjectID && new.name == record.name)
        #expect(new.models == ["tiny"] && new.tags == ["env=prod"] && new.endpoints == ["chat"])
        #expect(new.defaultCompletionTokens == 7 && new.clamps && new.notAfter == nil)
        #expect(old.state == .retiring && old.replacedBy == new.id && new.state == .active)
        let end = try #require(old.notAfter)
        let left = end - (try fixture.store.time())
        #expect(left <= Self.grace && left > Self.grace - .seconds(60))
    }

    @Test func `both secrets are the same subject to a gateway until the grace ends`() async throws
    {
        let cached = try CachedFixture()
        let (record, token) = try cached.fixture.mint()
        let (_, new, newToken) = try Self.rotate(cached.fixture, record.id, grace: .seconds(20))
        let before = try #require(try await cached.directory.check(token).principal)
        let after = try #require(try await cached.directory.check(newToken).principal)
        #expect(before.keySubject == after.keySubject && before.key == record.id)
        #expect(after.key == new.id)
        cached.time.advance(by: .seconds(25))
        #expect(try await cached.directory.check(token).isRefused)
        #expect(try await cached.directory.check(newToken).principal != nil)
    }

    @Test func `a key has at most two secrets, by whichever id it is named`() throws {
        let fixture = try DirectoryFixture()
        let (record, _) = try fixture.mint()
        let (_, new, _) = try Self.rotate(fixture, record.id)
        for id in [record.id, new.id] {
            #expect(refusal { _ = try Self.rotate(fixture, id) }?.contains("two secrets") == true)
        }
        #expect(try fixture.store.keys.finishRotation(new.id) == [record.id])
        #expect(try fixture.store.keys.find(record.id)?.state == .revoked)
        #expect(try fixture.store.keys.find(record.id)?.revokeReason == "rotated")
        #expect(try fixture.store.keys.finishRotation(new.id).isEmpty)
        let (_, third, _) = try Self.rotate(fixture, new.id)
        #expect(third.subjectID == record.subjectID)
    }

    @Test func `a secret in its grace does not live longer than its key`() throws {
        let fixture = try DirectoryFixture()
        let soon = try fixture.store.time() + .seconds(3600)
        let (record, _) = try fixture.mint(expires: soon)
        let (old, new, _) = try Self.rotate(fixture, record.id)
        #expect(old.notAfter == soon && new.notAfter == soon)
        // Nor does a later end of the key lengthen the grace.
        _ = try fixture.store.keys.change(new.id) { $0.expires = nil }
        #expect(try fixture.store.keys.find(old.id)?.notAfter == soon)
        #expect(try fixture.store.keys.find(new.id)?.notAfter == nil)
    }

    @Test func `a key that does not work is not rotated`() throws {
        let fixture = try DirectoryFixture()
        let (revoked, _) = try fixture.mint()
        _ = try fixture.store.keys.revoke(revoked.id, reason: "leaked")
        let (suspended, _) = try fixture.mint()
        _ = try fixture.store.keys.suspend(suspended.id, reason: nil)
        for id in [revoked.id, suspended.id] {
            #expect(refusal { _ = try Self.rotate(fixture, id) }?.contains("only a key") == true)
        }
        #expect(try fixture.rows("SELECT 1 FROM api_key").count == 2)
    }

    @Test func `of many administrators who rotate a key at once, one does`() throws {
        let fixture = try DirectoryFixture()
        let (record, _) = try fixture.mint()
        let pepper = fixture.pepper
        let done = race(8, in: fixture) { store in
            _ = try store.keys.rotate(record.id, grace: Self.grace, pepper: pepper)
                .takeSecret()
        }
        #expect(done == 1)
        #expect(try fixture.rows("SELECT 1 FROM api_key WHERE replaced_by IS NULL").count == 1)
        #expect(try fixture.rows("SELECT 1 FROM api_key").count == 2)
    }

    @Test func `a revocation beside a rotation leaves a revoked secret or both`() throws {
        for _ in 0..<5 {
            let fixture = try DirectoryFixture()
            let (record, _) = try fixture.mint()
            let pepper = fixture.pepper
            _ = race(2, in: fixture) { store, number in
                if number == 0 {
                    _ = try store.keys.revoke(record.id, reason: "leaked")
                } else {
                    _ = try store.keys.rotate(record.id, grace: Self.grace, pepper: pepper)
                        .takeSecret()
                }
            }
            // Whoever came first, the one that was named is revoked, and there is a second secret
            // only if the rotation came first.
            let old = try #require(try fixture.store.keys.find(record.id))
            #expect(old.state == .revoked && old.revokeReason == "leaked")
            let all = try fixture.store.keys.list(organization: fixture.organization, team: nil)
            #expect(all.count == (old.replacedBy == nil ? 1 : 2))
            #expect(
                all.filter { $0.state == .active }.map(\.id) == (old.replacedBy.map { [$0] } ?? []))
        }
    }

    @Test func `a rotation whose administrator dies half way leaves nothing`() throws {
        let fixture = try DirectoryFixture()
        let (record, _) = try fixture.mint()
        // The second statement of two fails, as if the session had ended there.
        _ = try fixture.rows(
            "ALTER TABLE api_key ADD CONSTRAINT broken CHECK (replaced_by IS NULL)")
        let revision = try fixture.revision()
        #expect(refusal { _ = try Self.rotate(fixture, record.id) } != nil)
        #expect(try fixture.rows("SELECT 1 FROM api_key").count == 1)
        #expect(try fixture.store.keys.find(record.id)?.state == .active)
        #expect(try fixture.revision() == revision)
    }

    private func refusal(_ body: () throws -> Void) -> String? {
        do { try body() } catch { return "\(error)" }
        return nil
    }
}

/// Runs `body` on so many threads, each with a connection of its own, and counts those that did not
/// throw.
func race(
    _ count: Int, in fixture: DirectoryFixture,
    _ body: @escaping @Sendable (DirectoryStore, Int) throws -> Void
) -> Int {
    let url = fixture.database.url
    let (ready, finished) = (DispatchGroup(), DispatchGroup())
    let start = DispatchSemaphore(value: 0)
    let done = Counter()
    for number in 0..<count {
        ready.enter()
        finished.enter()
        // A thread each, so that all of them wait at the start with their connections open.
        Thread {
            defer { finished.leave() }
            let store = try? DirectoryStore(
                url: url, random: DirectoryFixture.random, author: .test)
            ready.leave()
            start.wait()
            // A refusal is what the race is about.
            if let store, (try? body(store, number)) != nil { done.add() }
        }.start()
    }
    ready.wait()
    for _ in 0..<count { start.signal() }
    finished.wait()
    return done.value
}

func race(
    _ count: Int, in fixture: DirectoryFixture,
    _ body: @escaping @Sendable (DirectoryStore) throws -> Void
) -> Int { race(count, in: fixture) { store, _ in try body(store) } }

/// Counts on many threads.
final class Counter: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func add() { count.withLock { $0 += 1 } }
}
