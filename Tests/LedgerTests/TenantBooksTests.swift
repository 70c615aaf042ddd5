import Domain
import Logging
import Postgres
import ServiceLifecycle
import TestSupport
import Testing

@testable import Ledger

/// What a key may read with itself: its own, and of others nothing.
@Suite struct `A key's own books` {
    private static func logger() -> Logger {
        Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    }

    private static func own(
        _ books: UsageBooks, time: any TimeSource = TestTime()
    ) throws -> PostgresTenantBooks {
        try PostgresTenantBooks(
            url: books.database.url, time: time, random: DirectoryFixture.random, logger: logger())
    }

    private static func principal(
        _ key: KeyID, subject: Int64, team: Int64, of organization: OrganizationID = .default
    ) -> Principal {
        Principal(
            shard: organization.shard, organization: organization, team: TeamID(rawValue: team),
            key: key, keySubject: subject, allowedModels: nil, defaultCompletionTokens: nil,
            alwaysShowsUsage: false, quotas: [], rateLimits: [])
    }

    private static let ci = principal(UsageBooks.ci, subject: 11, team: 11)
    private static let laptop = principal(UsageBooks.laptop, subject: 12, team: 12)
    private static let theirs = principal(
        UsageBooks.theirs, subject: 13, team: 13, of: UsageBooks.neighbour)

    private static func question(
        _ grouping: OwnUsageQuestion.Grouping, hours: Int64 = 48
    ) -> OwnUsageQuestion {
        OwnUsageQuestion(
            since: UsageBooks.start, until: UsageBooks.start + .seconds(hours * 3600),
            grouping: grouping)
    }

    @Test func `a key reads its own usage by every grouping, and nobody else's`() async throws {
        let books = try UsageBooks()
        let own = try Self.own(books)
        try books.add(UsageBooks.ci, hour: 0, tokens: 100)
        try books.add(UsageBooks.ci, hour: 0, node: 2, tokens: 20)
        try books.add(UsageBooks.ci, hour: 30, model: 2, tokens: 3)
        // Neither before the beginning nor at the end.
        try books.add(UsageBooks.ci, hour: -1, tokens: 1_000_000)
        try books.add(UsageBooks.ci, hour: 48, tokens: 1_000_000)
        // Another team's key, and another organization's, in the same shard.
        try books.add(UsageBooks.laptop, hour: 0, tokens: 7)
        try books.add(UsageBooks.theirs, hour: 0, tokens: 9)
        for grouping in OwnUsageQuestion.Grouping.allCases {
            let question = Self.question(grouping)
            let rows = try await own.usage(of: Self.ci, question)
            #expect(rows.map(\.sums.promptTokens).reduce(0, +) == 123, "\(grouping)")
            #expect(rows.map(\.sums.costNanoUSD).reduce(0, +) == 24, "\(grouping)")
            let others = try await own.usage(of: Self.laptop, question)
            #expect(others.map(\.sums.promptTokens) == [7])
            let neighbours = try await own.usage(of: Self.theirs, question)
            #expect(neighbours.map(\.sums.promptTokens) == [9])
        }
        #expect(
            try await own.usage(of: Self.ci, Self.question(.model)).map(\.group) == [
                .model("gpt-4o"), .model("tiny"),
            ])
        let first = UsageBooks.start.day
        #expect(
            try await own.usage(of: Self.ci, Self.question(.day)).map(\.group) == [
                .day(first), .day(first.next),
            ])
        #expect(
            try await own.usage(of: Self.ci, Self.question(.month)).map(\.group) == [
                .month(first.firstOfMonth)
            ])
    }

    @Test func `a key of another organization is not found, even under a subject's number of ours`()
        async throws
    {
        let books = try UsageBooks()
        let own = try Self.own(books)
        try books.add(UsageBooks.ci, hour: 0, tokens: 100)
        try books.store.setQuota(
            Quota(
                subject: Subject(kind: .key, id: 11), resource: .tokens, period: .day, limit: 500),
            organization: try books.organization())
        // What no directory hands out: the neighbour's organization with our numbers in it.
        let mixed = Self.principal(UsageBooks.ci, subject: 11, team: 11, of: UsageBooks.neighbour)
        #expect(try await own.usage(of: mixed, Self.question(.day)).isEmpty)
        #expect(try await own.quotas(of: mixed).lines.isEmpty)
        #expect(try await own.quotas(of: Self.ci).lines.count == 1)
    }

    @Test func `quotas of the key, its team and its organization are read, and no others`()
        async throws
    {
        let books = try UsageBooks()
        let own = try Self.own(books)
        let organization = try books.organization()
        let none = try await own.quotas(of: Self.ci)
        #expect(none.lines.isEmpty && none.asOf > UsageBooks.start)
        func set(_ kind: Subject.Kind, _ id: Int64, _ period: Period, _ limit: Int64) throws {
            try books.store.setQuota(
                Quota(
                    subject: Subject(kind: kind, id: id), resource: .tokens, period: period,
                    limit: limit), organization: organization)
        }
        try set(.organization, 1, .total, 1000)
        try set(.team, 11, .month, 2000)
        try set(.key, 11, .day, 3000)
        try set(.team, 12, .day, 4000)
        try set(.key, 12, .day, 5000)
        try books.account(kind: 3, 11, period: 1, limit: 3000, settled: 700, reserved: 100)
        try books.account(kind: 2, 11, period: 2, limit: 2000, settled: 1900, reserved: 200)
        let lines = try await own.quotas(of: Self.ci).lines
        #expect(lines.map(\.quota.limit) == [1000, 2000, 3000])
        #expect(lines.map(\.left) == [1000, 0, 2200])
        // What others used of a shared quota is told as what is left, and in no other way.
        #expect(lines.map(\.own) == [nil, nil, OwnQuotas.Line.Numbers(used: 700, reserved: 100)])
        #expect(lines[0].resetsAt == nil)
        #expect(lines[2].resetsAt.map { $0 > UsageBooks.start } == true)
        #expect(
            try await own.quotas(of: Self.laptop).lines.map(\.quota.limit) == [1000, 4000, 5000])
    }

    @Test func `quotas of one model are told with its name, and nobody else's`() async throws {
        let books = try UsageBooks()
        let own = try Self.own(books)
        let organization = try books.organization()
        for (subject, model) in [
            (Subject(kind: .key, id: 11), "tiny"), (Subject(kind: .team, id: 11), nil),
            (Subject(kind: .key, id: 12), "gpt-4o"),
        ] {
            _ = try books.store.apply(
                [.setQuota(.tokens, .day, limit: 3000)], subject: subject, model: model,
                organization: organization)
        }
        let number = try #require(
            try books.store.quotas.list(Subject(kind: .key, id: 11), organization: organization)
                .first?.subject.id)
        // A number that the books of this test can count with.
        try books.store.connection.execute(
            script: """
                UPDATE subject_model SET subject_id = -5 WHERE subject_id = \(number);
                UPDATE quota SET subject_id = -5 WHERE subject_id = \(number);
                """)
        try books.account(kind: 3, -5, period: 1, limit: 3000, settled: 700, reserved: 100)
        let lines = try await own.quotas(of: Self.ci).lines
        #expect(lines.map(\.quota.model) == [nil, "tiny"])
        #expect(lines.map(\.left) == [3000, 2200])
        #expect(lines[0].own == nil)
        #expect(lines[1].own == OwnQuotas.Line.Numbers(used: 700, reserved: 100))
        let others = try await own.quotas(of: Self.laptop).lines
        #expect(others.map(\.quota.model) == ["gpt-4o"])
        // Our numbers in another organization find nothing.
        let mixed = Self.principal(UsageBooks.ci, subject: 11, team: 11, of: UsageBooks.neighbour)
        #expect(try await own.quotas(of: mixed).lines.isEmpty)
    }

    @Test func `a key that reads more than 60 times a minute waits, and others do not`()
        async throws
    {
        let books = try UsageBooks()
        let time = TestTime()
        let own = try Self.own(books, time: time)
        for _ in 0..<60 { _ = try await own.quotas(of: Self.ci) }
        await #expect(throws: BooksFault.throttled(retryAfter: .seconds(1))) {
            try await own.quotas(of: Self.ci)
        }
        await #expect(throws: BooksFault.throttled(retryAfter: .seconds(1))) {
            try await own.usage(of: Self.ci, Self.question(.day))
        }
        _ = try await own.quotas(of: Self.laptop)
        time.advance(by: .seconds(1))
        _ = try await own.quotas(of: Self.ci)
    }

    @Test func `a ledger that is away is a fault, and no empty report`() async throws {
        let books = try UsageBooks()
        let own = try Self.own(books)
        _ = try await own.quotas(of: Self.ci)
        try books.database.takeAway()
        await #expect(throws: BooksFault.unavailable) { try await own.quotas(of: Self.ci) }
        await #expect(throws: BooksFault.unavailable) {
            try await own.usage(of: Self.ci, Self.question(.day))
        }
        try books.database.bringBack()
        // A pooler that has seen it gone tries again only after a while. Each look is another key's:
        // one alone would have asked too often.
        var looks: UInt64 = 1000
        let isBack = try await eventually {
            looks += 1
            let key = KeyID(shard: OrganizationID.default.shard, random: looks)
            let principal = Self.principal(key, subject: 11, team: 11)
            return (try? await own.quotas(of: principal)) != nil
        }
        #expect(isBack)
    }

    @Test func `however many ask, one connection answers, and the rest are turned away`()
        async throws
    {
        let books = try UsageBooks()
        let own = try Self.own(books)
        // Holds the directory, so that the first read waits inside the database.
        try books.store.connection.execute(
            script: "BEGIN; LOCK TABLE quota IN ACCESS EXCLUSIVE MODE")
        let onlooker = try DirectoryStore(
            url: books.database.url, random: DirectoryFixture.random, author: .test)
        func sessions() throws -> Int64 {
            try UsageBooks.sessions(named: "turnpike tenants", onlooker.connection)
        }
        let (faults, isOne) = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<200 as Range<UInt64> {
                let key = KeyID(shard: OrganizationID.default.shard, random: 1000 + number)
                let principal = Self.principal(key, subject: 11, team: 11)
                group.addTask {
                    do { _ = try await own.quotas(of: principal) } catch { return true }
                    return false
                }
            }
            // 183 at once: one is in the database and 16 wait.
            var refused = 0
            while refused < 183, await group.next() == true { refused += 1 }
            // While it waits there: afterwards a pooler may have given its session to others.
            let isOne = (try? await eventually { try sessions() == 1 }) ?? false
            try? books.store.connection.execute(script: "ROLLBACK")
            while let isRefused = await group.next() { refused += isRefused ? 1 : 0 }
            return (refused, isOne)
        }
        #expect((183...200).contains(faults))
        #expect(isOne)
        #expect(try sessions() <= 1)
    }

    @Test func `a report of 92 days reads the key's own rows of the index and no others`()
        throws
    {
        let books = try UsageBooks()
        try books.crowd(keys: 40, hours: 300)
        let question = Self.question(.day, hours: 92 * 24)
        let buffers = try books.buffers(TenantBookStatements.usage(question, of: Self.ci))
        // 2,208 descents of three pages and no more; a scan of the hours would read every key's.
        #expect(buffers < 2208 * 4 + 100, "\(buffers)")
    }
}
