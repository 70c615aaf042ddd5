import Domain
import Postgres
import Testing

@testable import Ledger

@Suite struct `Usage reports` {
    @Test func `every grouping adds up to the same books, field by field`() throws {
        let books = try UsageBooks()
        try books.add(UsageBooks.ci, hour: 0, tokens: 100)
        try books.add(UsageBooks.ci, hour: 0, node: 2, tokens: 20)
        try books.add(UsageBooks.ci, hour: 5, model: 2, tokens: 3)
        try books.add(UsageBooks.laptop, hour: 30, model: 9, tokens: 1000)
        try books.add(UsageBooks.theirs, hour: 0, tokens: 1_000_000)
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
        for grouping in UsageQuery.Grouping.allCases where grouping != .endState {
            let rows = try books.usage(grouping)
            #expect(rows.reduce(UsageSums()) { $0 + $1.sums } == expected, "\(grouping)")
        }
        #expect(
            try books.usage(.day).map(\.group) == [
                .day(UsageBooks.start.day), .day(UsageBooks.start.day.next),
            ])
        #expect(try books.usage(.month).map(\.group) == [.month(UsageBooks.start.day.firstOfMonth)])
        #expect(
            try books.usage(.hour).map(\.group) == [
                .hour(UsageBooks.start), .hour(UsageBooks.start + .seconds(5 * 3600)),
                .hour(UsageBooks.start + .seconds(30 * 3600)),
            ])
        // The largest first; a model without a name has its number.
        #expect(
            try books.usage(.model).map(\.group) == [
                .model("#9"), .model("tiny"), .model("gpt-4o"),
            ])
        #expect(try books.usage(.team).map(\.group) == [.team("sales"), .team("research")])
        #expect(
            try books.usage(.key).map(\.group) == [
                .key(UsageBooks.laptop, name: "laptop", team: "sales"),
                .key(UsageBooks.ci, name: "ci", team: "research"),
            ])
    }

    @Test func `no report shows another organization's usage, however it is asked`() throws {
        let books = try UsageBooks()
        #expect(UsageBooks.neighbour.shard == OrganizationID.default.shard)
        try books.add(UsageBooks.theirs, hour: 0, tokens: 7)
        for grouping in UsageQuery.Grouping.allCases where grouping != .endState {
            #expect(try books.usage(grouping).isEmpty)
            #expect(try books.usage(grouping, key: UsageBooks.theirs).isEmpty)
            #expect(try books.usage(grouping, team: TeamID(rawValue: 13)).isEmpty)
            let own = try books.usage(grouping, of: UsageBooks.neighbour)
            #expect(own.map(\.sums.promptTokens) == [7])
        }
        // Two teams of one name in two organizations stay two.
        try books.add(UsageBooks.ci, hour: 0, tokens: 5)
        #expect(try books.usage(.team).map(\.sums.promptTokens) == [5])
    }

    @Test func `by end state the records themselves are added up, of one organization`() throws {
        let books = try UsageBooks()
        try books.record(UsageBooks.ci, hour: 1, number: 1, state: .finished, tokens: 10)
        try books.record(UsageBooks.ci, hour: 2, number: 2, state: .clientGone, tokens: 3)
        try books.record(UsageBooks.laptop, hour: 3, number: 3, state: .finished, tokens: 5)
        try books.record(
            UsageBooks.ci, hour: 3, number: 4, state: .failedBeforeFirstByte, tokens: 0)
        // Before the span, after it, and another organization's.
        try books.record(UsageBooks.ci, hour: 0, number: 5, state: .finished, tokens: 1_000)
        try books.record(UsageBooks.ci, hour: 30, number: 6, state: .finished, tokens: 1_000)
        try books.record(UsageBooks.theirs, hour: 1, number: 7, state: .finished, tokens: 1_000)
        let rows = try books.usage(
            .endState, since: UsageBooks.start + .seconds(3600),
            until: UsageBooks.start + .seconds(30 * 3600))
        #expect(
            rows.map(\.group) == [
                .endState(.finished), .endState(.clientGone), .endState(.failedBeforeFirstByte),
            ])
        #expect(rows.map(\.sums.promptTokens) == [15, 3, 0])
        #expect(rows.map(\.sums.requests) == [2, 1, 0])
        #expect(rows.map(\.sums.failedRequests) == [0, 0, 1])
        #expect(try books.usage(.endState, key: UsageBooks.theirs).isEmpty)
        #expect(try books.usage(.endState).map(\.sums.promptTokens).reduce(0, +) == 2018)
    }

    @Test func `a filter by team or key leaves the others out`() throws {
        let books = try UsageBooks()
        try books.add(UsageBooks.ci, hour: 0, tokens: 1)
        try books.add(UsageBooks.laptop, hour: 0, tokens: 2)
        #expect(try books.usage(.day, team: TeamID(rawValue: 12)).map(\.sums.promptTokens) == [2])
        #expect(try books.usage(.day, key: UsageBooks.ci).map(\.sums.promptTokens) == [1])
        #expect(try books.usage(.day, team: TeamID(rawValue: 12), key: UsageBooks.ci).isEmpty)
    }

    @Test func `one key is all that its subject ever had, before a rotation and after`() throws {
        let books = try UsageBooks()
        try books.add(UsageBooks.ci, hour: 0, tokens: 1)
        try books.add(UsageBooks.laptop, hour: 1, tokens: 2)
        try books.add(UsageBooks.theirs, hour: 1, tokens: 4)
        try books.store.connection.execute(
            script: "UPDATE api_key SET team_id = 11, subject_id = 11 WHERE name = 'laptop'")
        for key in [UsageBooks.ci, UsageBooks.laptop] {
            #expect(try books.usage(.month, key: key).map(\.sums.promptTokens) == [3])
        }
    }

    @Test func `the beginning is counted and the end is not`() throws {
        let books = try UsageBooks()
        for hour in 0..<4 as Range<Int64> {
            try books.add(UsageBooks.ci, hour: hour, tokens: 1 << hour)
        }
        let rows = try books.usage(
            .day, since: UsageBooks.start + .seconds(3600),
            until: UsageBooks.start + .seconds(3 * 3600))
        #expect(rows.map(\.sums.promptTokens) == [6])
    }

    @Test func `sums past 64 bits and past a double's 53 are exact`() throws {
        let books = try UsageBooks()
        try books.add(UsageBooks.ci, hour: 0, tokens: .max)
        try books.add(UsageBooks.ci, hour: 1, tokens: .max)
        try books.add(UsageBooks.ci, hour: 2, tokens: 9_007_199_254_740_993)
        let rows = try books.usage(.day)
        let expected = Int128(Int64.max) * 2 + 9_007_199_254_740_993
        #expect(rows.map(\.sums.promptTokens) == [expected])
    }

    @Test func `a database that is gone is unreachable, not empty`() throws {
        let books = try UsageBooks()
        books.store.connection.close()
        let error = #expect(throws: LedgerError.self) { try books.usage(.day) }
        guard case .unreachable = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}
