import Domain
import Postgres
import TestSupport
import Testing

@testable import Ledger

@Suite struct `A request's story` {
    private func story(_ books: AuditBooks, _ id: RequestID) throws -> RequestStory? {
        guard case .story(let story) = try books.store.stories.explain(id, organization: .default)
        else { return nil }
        return story
    }

    @Test(
        arguments: zip(
            1...6 as ClosedRange<Int16>,
            [UsageBasis.reported, .counted, .recovered, .swept, .void, .late]))
    func `every basis is told with its numbers`(number: Int16, basis: UsageBasis) throws {
        let books = try AuditBooks()
        let id = try books.request(daysAgo: 2, 1)
        try books.run("UPDATE usage SET basis = \(number) WHERE request_id = '\(id)';")
        let story = try #require(try story(books, id))
        guard case .settled(let outcome) = story.state else {
            Issue.record("open")
            return
        }
        #expect(outcome.basis == basis && outcome.endState == .finished)
        #expect(outcome.usage == TokenUsage(prompt: 10, completion: 6))
        #expect(outcome.charged == 16 && outcome.cost.rawValue == 32)
        #expect(outcome.timeToFirstToken == .microseconds(1500) && outcome.duration == .seconds(1))
        #expect(story.keyName == "ci" && story.team == "research" && story.model == "tiny")
        #expect(story.backend == "local" && story.prices?.price?.prompt.rawValue == 2_000_000)
        #expect(story.shares.map(\.subjectName) == ["ci", "research", "default"])
        #expect(story.shares.map(\.amount) == [16, 1, 32])
        #expect(story.admittedAt.day == story.id.instant.day)
    }

    @Test func `a correction is told with its account`() throws {
        let books = try AuditBooks()
        let story = try #require(try story(books, try books.request(daysAgo: 3, 3)))
        #expect(story.shares.map(\.correction) == [-5, 0, 0])
        #expect(story.shares.map { $0.correctedAt == nil } == [false, true, true])
    }

    @Test func `a request whose gateway had a wrong clock is told, with its correction`() throws {
        let books = try AuditBooks()
        let id = try books.request(daysAgo: 3, 3)
        // The id's time is the gateway's; the record's day is the ledger's.
        let wrong = RequestID(rawValue: id.rawValue & (UInt128.max >> 48) | 0x0123 << 112)
        try books.run(
            """
            UPDATE usage SET request_id = '\(wrong)' WHERE request_id = '\(id)';
            UPDATE usage_adj SET request_id = '\(wrong)' WHERE request_id = '\(id)';
            """)
        let story = try #require(try story(books, wrong))
        #expect(story.shares.map(\.correction) == [-5, 0, 0])
        #expect(story.admittedAt.day != story.id.instant.day)
    }

    @Test func `an open request is told with its bound, and whether its node is gone`() throws {
        let books = try AuditBooks()
        let id = try #require(
            RequestID(try books.text("SELECT request_id::text FROM reservation")))
        let bound = RequestStory.Bound(
            prompt: 60, completion: 40, cost: NanoUSD(rawValue: 500))
        #expect(try story(books, id)?.state == .open(bound, isFenced: false))
        #expect(try story(books, id)?.shares.map(\.amount) == [100, 1, 500])
        try books.run("UPDATE node_lane SET live = false;")
        #expect(try story(books, id)?.state == .open(bound, isFenced: true))
    }

    @Test func `what is not there, another organization's or dropped is unknown`() throws {
        let books = try AuditBooks()
        let id = try books.request(daysAgo: 6, 1)
        let neighbour =
            (2...100_000).lazy.map { OrganizationID(rawValue: $0) }
            .first { $0.shard == AuditBooks.shard } ?? .default
        #expect(
            try books.store.stories.explain(id, organization: neighbour)
                == .unknown(mayBeDropped: false))
        #expect(
            try books.store.stories.explain(RequestID(rawValue: 1), organization: .default)
                == .unknown(mayBeDropped: false))
        _ = try books.store.retention.drop(keeping: 3)
        #expect(
            try books.store.stories.explain(id, organization: .default)
                == .unknown(mayBeDropped: true))
    }
}
