import Domain
import Postgres
import TestSupport
import Testing

@testable import Ledger

@Suite struct `Usage reports` {
    /// Books of two organizations in one shard, so that only the organization keeps them apart.
    private struct Books {
        let database: TestDatabase
        let store: DirectoryStore
        /// Not the default one, and in the default one's shard.
        static let neighbour: OrganizationID = {
            let shard = OrganizationID.default.shard
            return (2...100_000).lazy.map { OrganizationID(rawValue: $0) }
                .first { $0.shard == shard } ?? .default
        }()
        static let start = CalendarDay(year: 2026, month: 11, day: 20).start
        static let ci = KeyID(shard: OrganizationID.default.shard, random: 1)
        static let laptop = KeyID(shard: OrganizationID.default.shard, random: 2)
        static let theirs = KeyID(shard: OrganizationID.default.shard, random: 3)

        init() throws {
            database = try TestDatabase.make()
            store = try DirectoryStore(url: database.url, random: DirectoryFixture.random)
            let shard = OrganizationID.default.shard.rawValue
            try store.connection.execute(
                script: """
                    INSERT INTO organization (shard, organization_id, name)
                    VALUES (\(shard), \(Self.neighbour.rawValue), 'neighbour');
                    INSERT INTO team (shard, team_id, organization_id, name) VALUES
                        (\(shard), 11, 1, 'research'), (\(shard), 12, 1, 'sales'),
                        (\(shard), 13, \(Self.neighbour.rawValue), 'research');
                    INSERT INTO model (shard, model_id, name) VALUES
                        (\(shard), 1, 'tiny'), (\(shard), 2, 'gpt-4o');
                    """)
            try key(Self.ci, team: 11, of: .default, "ci")
            try key(Self.laptop, team: 12, of: .default, "laptop")
            try key(Self.theirs, team: 13, of: Self.neighbour, "theirs")
        }

        private func key(
            _ id: KeyID, team: Int64, of organization: OrganizationID, _ name: String
        ) throws {
            try store.connection.execute(
                script: """
                    INSERT INTO api_key (shard, key_id, organization_id, team_id, subject_id, name,
                        prefix, mac, pepper_id, last4)
                    VALUES (\(id.shard.rawValue), \(id.databaseValue), \(organization.rawValue),
                        \(team), \(team), '\(name)', 'sk-test', decode(repeat('ab', 32), 'hex'), 1,
                        'abcd');
                    """)
        }

        /// Adds to the books; prompt tokens are `tokens`, every other number follows from them.
        func add(
            _ key: KeyID, hour: Int64, model: Int32 = 1, node: Int64 = 1, requests: Int64 = 1,
            tokens: Int64
        ) throws {
            let row: [PostgresValue] = [
                .int2(key.shard.rawValue),
                .timestamp((Self.start + .seconds(hour * 3600)).microseconds),
                .int8(key.databaseValue), .int4(model), .int8(node), .int8(requests),
                .int8(tokens),
            ]
            _ = try store.connection.execute(
                PostgresCommand(
                    PostgresStatement(
                        name: nil,
                        sql: """
                            INSERT INTO usage_hour (shard, hour, key_id, model_id, node_id, requests,
                                failed_requests, prompt_tokens, cached_tokens, cache_write_tokens,
                                completion_tokens, reasoning_tokens, charged, overage, cost_nanousd)
                            VALUES ($1, $2, $3, $4, $5, $6, 1, $7, 2, 3, 4, 5, 6, 7, 8)
                            """), row))
        }

        func usage(
            _ grouping: UsageQuery.Grouping, of organization: OrganizationID = .default,
            team: TeamID? = nil, key: KeyID? = nil, since: Timestamp = Self.start,
            until: Timestamp? = nil
        ) throws -> [UsageRow] {
            try store.reports.usage(
                UsageQuery(
                    organization: organization, team: team, key: key, since: since, until: until,
                    grouping: grouping))
        }
    }

    @Test func `every grouping adds up to the same books, field by field`() throws {
        let books = try Books()
        try books.add(Books.ci, hour: 0, tokens: 100)
        try books.add(Books.ci, hour: 0, node: 2, tokens: 20)
        try books.add(Books.ci, hour: 5, model: 2, tokens: 3)
        try books.add(Books.laptop, hour: 30, model: 9, tokens: 1000)
        try books.add(Books.theirs, hour: 0, tokens: 1_000_000)
        var expected = UsageSums()
        expected.requests = 4
        expected.failedRequests = 4
        expected.promptTokens = 1123
        expected.cachedTokens = 8
        expected.cacheWriteTokens = 12
        expected.completionTokens = 16
        expected.reasoningTokens = 20
        expected.chargedTokens = 24
        expected.costNanoUSD = 32
        for grouping in UsageQuery.Grouping.allCases {
            let rows = try books.usage(grouping)
            #expect(rows.reduce(UsageSums()) { $0 + $1.sums } == expected, "\(grouping)")
        }
        #expect(
            try books.usage(.day).map(\.group) == [
                .day(Books.start.day), .day(Books.start.day.next),
            ])
        #expect(
            try books.usage(.hour).map(\.group) == [
                .hour(Books.start), .hour(Books.start + .seconds(5 * 3600)),
                .hour(Books.start + .seconds(30 * 3600)),
            ])
        // The largest first; a model without a name has its number.
        #expect(
            try books.usage(.model).map(\.group) == [
                .model("#9"), .model("tiny"), .model("gpt-4o"),
            ])
        #expect(try books.usage(.team).map(\.group) == [.team("sales"), .team("research")])
        #expect(
            try books.usage(.key).map(\.group) == [
                .key(Books.laptop, name: "laptop", team: "sales"),
                .key(Books.ci, name: "ci", team: "research"),
            ])
    }

    @Test func `no report shows another organization's usage, however it is asked`() throws {
        let books = try Books()
        #expect(Books.neighbour.shard == OrganizationID.default.shard)
        try books.add(Books.theirs, hour: 0, tokens: 7)
        for grouping in UsageQuery.Grouping.allCases {
            #expect(try books.usage(grouping).isEmpty)
            #expect(try books.usage(grouping, key: Books.theirs).isEmpty)
            #expect(try books.usage(grouping, team: TeamID(rawValue: 13)).isEmpty)
            let own = try books.usage(grouping, of: Books.neighbour)
            #expect(own.map(\.sums.promptTokens) == [7])
        }
        // Two teams of one name in two organizations stay two.
        try books.add(Books.ci, hour: 0, tokens: 5)
        #expect(try books.usage(.team).map(\.sums.promptTokens) == [5])
    }

    @Test func `a filter by team or key leaves the others out`() throws {
        let books = try Books()
        try books.add(Books.ci, hour: 0, tokens: 1)
        try books.add(Books.laptop, hour: 0, tokens: 2)
        #expect(try books.usage(.day, team: TeamID(rawValue: 12)).map(\.sums.promptTokens) == [2])
        #expect(try books.usage(.day, key: Books.ci).map(\.sums.promptTokens) == [1])
        #expect(try books.usage(.day, team: TeamID(rawValue: 12), key: Books.ci).isEmpty)
    }

    @Test func `the beginning is counted and the end is not`() throws {
        let books = try Books()
        for hour in 0..<4 as Range<Int64> { try books.add(Books.ci, hour: hour, tokens: 1 << hour) }
        let rows = try books.usage(
            .day, since: Books.start + .seconds(3600), until: Books.start + .seconds(3 * 3600))
        #expect(rows.map(\.sums.promptTokens) == [6])
    }

    @Test func `sums past 64 bits and past a double's 53 are exact`() throws {
        let books = try Books()
        try books.add(Books.ci, hour: 0, tokens: .max)
        try books.add(Books.ci, hour: 1, tokens: .max)
        try books.add(Books.ci, hour: 2, tokens: 9_007_199_254_740_993)
        let rows = try books.usage(.day)
        let expected = Int128(Int64.max) * 2 + 9_007_199_254_740_993
        #expect(rows.map(\.sums.promptTokens) == [expected])
    }

    @Test func `a database that is gone is unreachable, not empty`() throws {
        let books = try Books()
        books.store.connection.close()
        let error = #expect(throws: LedgerError.self) { try books.usage(.day) }
        guard case .unreachable = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}
