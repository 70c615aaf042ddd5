import Domain
import Logging
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import Ledger

/// A gateway's directory over a real database.
struct CachedFixture {
    let fixture: DirectoryFixture
    let source: ScriptedKeySource
    let directory: CachedKeyDirectory
    let time = TestTime()
    let changes = ChangeLog()

    init() throws {
        fixture = try DirectoryFixture()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let pool = try PostgresPool(
            url: fixture.database.url, connectionOptions: CachedKeyDirectory.connectionOptions,
            options: CachedKeyDirectory.poolOptions, logger: logger)
        source = ScriptedKeySource(PostgresKeySource(pool: pool))
        let changes = changes
        directory = CachedKeyDirectory(
            peppers: [fixture.pepper], source: source, time: time, random: DirectoryFixture.random,
            logger: logger, onChange: { changes.add($0) })
    }
}

/// What the directory reported.
final class ChangeLog: Sendable {
    private let changes = Mutex<[KeyChange]>([])
    var all: [KeyChange] { changes.withLock { $0 } }
    func add(_ more: [KeyChange]) { changes.withLock { $0 += more } }
}

@Suite struct KeyCacheVerification {
    @Test func `the right key is proven with its quotas and limits of all three levels`()
        async throws
    {
        let cached = try CachedFixture()
        let (store, owner) = (cached.fixture.store, cached.fixture.organization)
        let (record, token) = try cached.fixture.mint(models: ["tiny"])
        let subjects = [
            Subject(kind: .organization, id: owner.id.rawValue),
            Subject(kind: .team, id: cached.fixture.team.id.rawValue), record.subject,
        ]
        for subject in subjects {
            _ = try store.apply(
                [
                    .setQuota(.tokens, .day, limit: 5),
                    .setQuota(.cost, .total, limit: 6, ridesOutages: false),
                    .setRateLimit(.requestsPerMinute, limit: 7),
                ], subject: subject, organization: owner)
        }
        // Another subject's allowances are nobody else's.
        let other = try store.teams.create(name: "other", organization: owner)
        try store.setQuota(
            Quota(
                subject: Subject(kind: .team, id: other.id.rawValue), resource: .tokens,
                period: .day,
                limit: 1), organization: owner)
        let principal = try #require(try await cached.directory.check(token).principal)
        #expect(principal.key == record.id && principal.team == cached.fixture.team.id)
        #expect(principal.teamName == "\(owner.name)/\(cached.fixture.team.name)")
        #expect(principal.organization == owner.id && principal.keySubject == record.subjectID)
        #expect(principal.allowedModels == ["tiny"])
        #expect(
            principal.quotas
                == subjects.flatMap { subject in
                    [
                        Quota(subject: subject, resource: .tokens, period: .day, limit: 5),
                        Quota(
                            subject: subject, resource: .cost, period: .total, limit: 6,
                            ridesOutages: false),
                    ]
                })
        #expect(
            principal.rateLimits
                == subjects.map { RateLimit(subject: $0, dimension: .requestsPerMinute, limit: 7) })
    }

    @Test func `a key that differs in any one character is refused, before and after a hit`()
        async throws
    {
        let cached = try CachedFixture()
        let (_, token) = try cached.fixture.mint()
        #expect(try await cached.directory.check(token).principal != nil)
        for position in token.indices {
            var wrong = token
            wrong[position] =
                wrong[position] == UInt8(ascii: "b") ? UInt8(ascii: "c") : UInt8(ascii: "b")
            #expect(try await cached.directory.check(wrong).isRefused, "character \(position)")
        }
        #expect(try await cached.directory.check(token).principal != nil)
    }

    @Test func `a right key id with a wrong secret and a right checksum is refused after a hit`()
        async throws
    {
        let cached = try CachedFixture()
        let (record, token) = try cached.fixture.mint()
        #expect(try await cached.directory.check(token).principal != nil)
        let prefixLength = "sk-test_".utf8.count + 12
        for position in prefixLength..<(prefixLength + 43) {
            var body = Array(token.dropLast(6))
            body[position] =
                body[position] == UInt8(ascii: "b") ? UInt8(ascii: "c") : UInt8(ascii: "b")
            let checksum = Base62.encode(UInt64(CRC32.checksum(body)), width: 6)
            let forged = body + Array(checksum.utf8)
            #expect(APIKeyFormat.parse(forged) == record.id)
            #expect(try await cached.directory.check(forged).isRefused)
        }
        // Another prefix is another token, too.
        let renamed = Array("sk-tesu".utf8) + token.dropLast(6).dropFirst(7)
        let checksum = Base62.encode(UInt64(CRC32.checksum(renamed)), width: 6)
        #expect(try await cached.directory.check(renamed + Array(checksum.utf8)).isRefused)
        #expect(cached.source.reads == 1)
    }

    @Test func `what has not the form of a key is refused without a read`() async throws {
        let cached = try CachedFixture()
        let (_, token) = try cached.fixture.mint()
        let noise: [[UInt8]] = [
            [], Array("sk-x".utf8), Array("' OR 1=1 --".utf8), [UInt8](repeating: 0, count: 70),
            token + [0], Array(token.dropLast()), [UInt8](repeating: 65, count: 100_000),
        ]
        for bytes in noise { #expect(try await cached.directory.check(bytes).isRefused) }
        #expect(cached.source.reads == 0)
    }

    @Test func `unknown, revoked, expired, pending and foreign-pepper keys have one answer`()
        async throws
    {
        let cached = try CachedFixture()
        let unknown = APIKeyFormat.write(
            prefix: "sk-test", id: KeyID(rawValue: 229 << 56 | 12345),
            secret: [UInt8](repeating: 3, count: 32)
        ).withBytes { bytes in Array(bytes) }
        let (revoked, revokedToken) = try cached.fixture.mint("revoked")
        _ = try cached.fixture.store.keys.revoke(revoked.id)
        let (expired, expiredToken) = try cached.fixture.mint("expired")
        _ = try cached.fixture.rows(
            """
            UPDATE api_key SET not_after = now() - interval '1 second'
            WHERE key_id = \(expired.id.databaseValue)
            """)
        let (pending, pendingToken) = try cached.fixture.mint("pending")
        _ = try cached.fixture.rows(
            """
            UPDATE api_key SET not_before = now() + interval '1 hour'
            WHERE key_id = \(pending.id.databaseValue)
            """)
        let (foreign, foreignToken) = try cached.fixture.mint("foreign")
        _ = try cached.fixture.rows(
            "UPDATE api_key SET pepper_id = 9 WHERE key_id = \(foreign.id.databaseValue)")
        for token in [unknown, revokedToken, expiredToken, pendingToken, foreignToken] {
            #expect(try await cached.directory.check(token).isRefused)
            #expect(try await cached.directory.check(token).isRefused)
        }
    }

    @Test func `a key expires in memory at its time, without a read`() async throws {
        let cached = try CachedFixture()
        let now = try cached.fixture.store.time()
        let (_, token) = try cached.fixture.mint(expires: now + .seconds(20))
        #expect(try await cached.directory.check(token).principal != nil)
        cached.time.advance(by: .seconds(25))
        #expect(try await cached.directory.check(token).isRefused)
        #expect(cached.source.reads == 1)
    }

    @Test func `a key made under an older pepper works while the gateway has that one`()
        async throws
    {
        let fixture = try DirectoryFixture()
        let (_, token) = try fixture.mint()
        let newer = try Pepper(id: 2, bytes: (0..<32).map { UInt8(200 - $0) })
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let pool = try PostgresPool(
            url: fixture.database.url, connectionOptions: CachedKeyDirectory.connectionOptions,
            options: CachedKeyDirectory.poolOptions, logger: logger)
        for (peppers, works) in [([newer, fixture.pepper], true), ([newer], false)] {
            let directory = CachedKeyDirectory(
                peppers: peppers, pool: pool, time: TestTime(), random: DirectoryFixture.random,
                logger: logger, onChange: { _ in })
            #expect(try await (directory.check(token).principal != nil) == works)
        }
    }
}

@Suite struct KeyCacheReads {
    @Test func `sixty-four requests for a key not in memory cost one read`() async throws {
        let cached = try CachedFixture()
        let (_, token) = try cached.fixture.mint()
        cached.source.gate.close()
        let directory = cached.directory
        let proven = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<64 { group.addTask { try await directory.check(token).principal != nil } }
            await cached.source.gate.arrivals(1)
            cached.source.gate.open()
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(proven == 64)
        #expect(cached.source.reads == 1)
    }

    @Test func `a key that does not exist is looked for once in thirty seconds`() async throws {
        let cached = try CachedFixture()
        let (record, token) = try cached.fixture.mint()
        _ = try cached.fixture.rows("DELETE FROM api_key")
        for _ in 0..<10 { #expect(try await cached.directory.check(token).isRefused) }
        #expect(cached.source.reads == 1)
        cached.time.advance(by: .seconds(30))
        #expect(try await cached.directory.check(token).isRefused)
        #expect(cached.source.reads == 2)
        #expect(record.state == .active)
    }

    @Test func `a key just made works at the next poll, though it was asked for before`()
        async throws
    {
        let cached = try CachedFixture()
        let (record, token) = try cached.fixture.mint()
        _ = try cached.fixture.rows("CREATE TABLE kept AS SELECT * FROM api_key")
        _ = try cached.fixture.rows("DELETE FROM api_key")
        #expect(try await cached.directory.check(token).isRefused)
        _ = try cached.fixture.rows("INSERT INTO api_key SELECT * FROM kept")
        _ = try cached.fixture.store.keys.mint(
            team: cached.fixture.team, name: "raises the revision", prefix: "sk-test",
            terms: KeyStore.Terms(
                expires: nil, models: nil, defaultCompletionTokens: nil, alwaysUsage: false),
            pepper: cached.fixture.pepper)
        #expect(try await cached.directory.check(token).isRefused)
        try await cached.directory.refresh()
        #expect(try await cached.directory.check(token).principal?.key == record.id)
    }

    @Test func `a source that tries keys is turned away without a read, others are served`()
        async throws
    {
        let cached = try CachedFixture()
        let (_, token) = try cached.fixture.mint()
        var throttled = 0
        for number in 0..<50 {
            let guess = APIKeyFormat.write(
                prefix: "sk-test", id: KeyID(rawValue: UInt64(number)),
                secret: [UInt8](repeating: 1, count: 32)
            ).withBytes { bytes in Array(bytes) }
            if try await cached.directory.check(guess, from: "198.51.100.7").isThrottled {
                throttled += 1
            }
        }
        #expect(throttled == 30)
        #expect(cached.source.reads == 20)
        #expect(try await cached.directory.check(token, from: "192.0.2.1").principal != nil)
        // In memory now: the throttled source may use it as well.
        #expect(try await cached.directory.check(token, from: "198.51.100.7").principal != nil)
    }

    @Test func `a scan from everywhere costs at most 200 reads in a second`() async throws {
        let cached = try CachedFixture()
        for number in 0..<2000 {
            let guess = APIKeyFormat.write(
                prefix: "sk-test", id: KeyID(rawValue: UInt64(number)),
                secret: [UInt8](repeating: 1, count: 32)
            ).withBytes { bytes in Array(bytes) }
            _ = try await cached.directory.check(guess, from: "source \(number)")
            cached.time.advance(by: .microseconds(499))
        }
        #expect(cached.source.reads <= 200 && cached.source.reads >= 160)
    }
}
