import Domain
import Postgres
import Testing

@testable import Ledger

/// Reports by the tags of keys, and of how long requests took.
@Suite struct `Reports by tag and of times` {
    private static func tagged() throws -> UsageBooks {
        let books = try UsageBooks()
        for (key, tags) in [
            (UsageBooks.ci, "{env=prod,owner=ada}"), (UsageBooks.theirs, "{env=prod}"),
        ] {
            try books.store.connection.execute(
                script: "UPDATE api_key SET tags = '\(tags)' WHERE key_id = \(key.databaseValue)")
        }
        return books
    }

    private static func query(
        _ grouping: UsageQuery.Grouping, tags: [String] = [],
        of organization: OrganizationID = .default
    ) -> UsageQuery {
        var query = UsageQuery(
            organization: organization, team: nil, key: nil, since: UsageBooks.start,
            until: UsageBooks.start + .seconds(48 * 3600), grouping: grouping)
        query.tags = tags
        return query
    }

    @Test func `a key counts under each of its tags, one without any by itself`() throws {
        let books = try Self.tagged()
        try books.add(UsageBooks.ci, hour: 1, tokens: 10)
        try books.add(UsageBooks.laptop, hour: 1, tokens: 3)
        try books.add(UsageBooks.theirs, hour: 1, tokens: 999)
        let rows = try books.store.reports.usage(Self.query(.tag))
        #expect(
            rows.map(\.group) == [.tag("env=prod"), .tag("owner=ada"), .tag(nil)])
        #expect(rows.map(\.sums.promptTokens) == [10, 10, 3])
    }

    @Test func `only keys with all of the tags are counted, and of one organization`() throws {
        let books = try Self.tagged()
        try books.add(UsageBooks.ci, hour: 1, tokens: 10)
        try books.add(UsageBooks.laptop, hour: 1, tokens: 3)
        try books.add(UsageBooks.theirs, hour: 1, tokens: 999)
        func tokens(_ tags: [String]) throws -> [Int128] {
            try books.store.reports.usage(Self.query(.model, tags: tags)).map(\.sums.promptTokens)
        }
        #expect(try tokens([]) == [13])
        #expect(try tokens(["env=prod"]) == [10])
        #expect(try tokens(["env=prod", "owner=ada"]) == [10])
        #expect(try tokens(["env=prod", "owner=bob"]) == [])
        #expect(try tokens(["env"]) == [])
        for (number, key) in [UsageBooks.ci, UsageBooks.laptop, UsageBooks.theirs].enumerated() {
            try books.record(
                key, hour: 1, number: UInt64(number + 1), state: .finished, tokens: 1)
        }
        var export = ExportQuery(
            organization: .default, team: nil, key: nil, since: UsageBooks.start,
            until: UsageBooks.start.day.next.start)
        export.tags = ["env=prod"]
        let page = try books.store.reports.export(export, from: export.start)
        #expect(page.records.map(\.key) == [UsageBooks.ci])
        #expect(try books.store.reports.exportCount(export) == 2)
    }

    @Test func `percentiles are of times that requests really took, by any grouping`() throws {
        let books = try Self.tagged()
        // A hundred requests of 1 to 100 thousandths until the first token, twice that in all; and
        // what is not measured: one that failed, and one of another organization.
        for number in 1...100 as ClosedRange<UInt64> {
            try books.record(
                UsageBooks.ci, hour: Int64(number % 2) * 24 + 1, number: number, state: .finished,
                tokens: 1)
        }
        try books.record(
            UsageBooks.ci, hour: 2, number: 5000, state: .failedBeforeFirstByte, tokens: 0)
        try books.record(UsageBooks.theirs, hour: 1, number: 7000, state: .finished, tokens: 1)
        for grouping in UsageQuery.Grouping.allCases where grouping != .tag {
            let rows = try books.store.reports.latency(Self.query(grouping), in: "UTC").rows
            #expect(rows.map(\.requests).reduce(0, +) == 100, "\(grouping)")
            if ![.day, .hour].contains(grouping) {
                let row = try #require(rows.first)
                #expect(
                    row.firstToken
                        == .init(
                            p50: .milliseconds(50), p95: .milliseconds(95),
                            p99: .milliseconds(99)))
                #expect(
                    row.duration
                        == .init(
                            p50: .milliseconds(100), p95: .milliseconds(190),
                            p99: .milliseconds(198)))
            }
        }
        let days = try books.store.reports.latency(Self.query(.day), in: "UTC").rows
        #expect(days.map(\.group) == [.day(UsageBooks.start.day), .day(UsageBooks.start.day.next)])
        // The even ones, 2 to 100.
        #expect(days[0].firstToken?.p50 == .milliseconds(50) && days[0].requests == 50)
        // An hour past midnight in UTC is the day before in New York.
        let west = try books.store.reports.latency(Self.query(.day), in: "America/New_York").rows
        #expect(
            west.map(\.group) == [
                .day(CalendarDay(rawValue: UsageBooks.start.day.rawValue - 1)),
                .day(UsageBooks.start.day),
            ])
        let tags = try books.store.reports.latency(Self.query(.tag), in: "UTC").rows
        #expect(tags.map(\.group) == [.tag("env=prod"), .tag("owner=ada")])
        #expect(tags.map(\.requests) == [100, 100])
    }

    @Test func `what had no first token has no percentiles of it`() throws {
        let books = try UsageBooks()
        try books.record(UsageBooks.ci, hour: 1, number: 3, state: .finished, tokens: 1)
        try books.store.connection.execute(script: "UPDATE usage SET first_token_us = NULL")
        let rows = try books.store.reports.latency(Self.query(.day), in: "UTC").rows
        #expect(rows.count == 1 && rows[0].firstToken == nil)
        #expect(rows[0].duration?.p99 == .milliseconds(6))
        // Of a sweep nobody saw the end.
        try books.store.connection.execute(script: "UPDATE usage SET basis = 4")
        #expect(try books.store.reports.latency(Self.query(.day), in: "UTC").rows.isEmpty)
    }
}
