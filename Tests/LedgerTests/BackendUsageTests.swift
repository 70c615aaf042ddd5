import Domain
import Foundation
import Ledger
import Postgres
import TestSupport
import Testing

/// What backends were used for, against the books of a week.
@Suite struct `Backend usage` {
    private func usage(
        _ books: AuditBooks, _ backends: [String] = ["local"], daysAgo: Int32 = 3,
        step: BackendUsageQuery.Step = .day
    ) throws -> BackendUsage {
        let start = try books.midnight(daysAgo: daysAgo)
        return try books.store.backendUsage.usage(
            BackendUsageQuery(
                backends: backends, since: start, until: start + .seconds(86_400), step: step))
    }

    /// What the records of a day add up to.
    private func records(_ books: AuditBooks, _ expression: String) throws -> Int128 {
        Int128(
            try books.number(
                "SELECT sum(\(expression))::int8 FROM usage"
                    + " WHERE day = (now() AT TIME ZONE 'UTC')::date - 3") ?? -1)
    }

    @Test func `a day's records, a call in vain and a correction are in the sums`() throws {
        let books = try AuditBooks()
        let group = BackendUsage.Group(
            start: try books.midnight(daysAgo: 3), model: "tiny", backend: "local")
        try books.run("DELETE FROM usage_adj; DELETE FROM request_attempt;")
        let before = try #require(try usage(books).sums[group])
        #expect(before.requests == 3)
        #expect(before.promptTokens == (try records(books, "prompt_tokens")))
        #expect(before.completionTokens == (try records(books, "completion_tokens")))
        #expect(before.costNanoUSD == (try records(books, "cost_nanousd")))
        #expect(
            before.estimatedTokens
                == (try records(
                    books, "CASE WHEN basis = 1 THEN 0 ELSE prompt_tokens + completion_tokens END"))
        )
        let swept =
            "SELECT request_id FROM usage WHERE basis = 4"
            + " AND day = (now() AT TIME ZONE 'UTC')::date - 3"
        let shard = AuditBooks.shard.rawValue
        try books.run(
            """
            INSERT INTO usage_adj (shard, day, request_id, account_id, delta, reason)
            SELECT \(shard), (now() AT TIME ZONE 'UTC')::date - 3, r.request_id, a.id, a.delta, 1
            FROM (\(swept)) r, (VALUES (1::int8, -9::int8), (3, -18)) AS a(id, delta);
            INSERT INTO backend (shard, backend_id, name) VALUES (\(shard), 2, 'spare');
            INSERT INTO request_attempt (shard, day, request_id, number, backend_id, outcome,
                begun_after_us, duration_us, prompt_tokens, completion_tokens)
            SELECT \(shard), (now() AT TIME ZONE 'UTC')::date - 3, r.request_id, a.number,
                a.backend, a.outcome, 0, 1, a.prompt, a.completion
            FROM (\(swept)) r, (VALUES (1::int2, 2, 3::int2, 20::int8, 7::int8),
                (2, 2, 5, null, null), (3, 1, 1, 5, 5)) AS a(number, backend, outcome, prompt, completion);
            """)
        let after = try usage(books, ["local", "spare"])
        let corrected = try #require(after.sums[group])
        #expect(corrected.correctedTokens == 9)
        #expect(corrected.requests == 3)
        #expect(
            corrected.promptTokens + corrected.completionTokens
                == before.promptTokens + before.completionTokens - 9)
        #expect(corrected.costNanoUSD == before.costNanoUSD - 18)
        let spare = BackendUsage.Group(start: group.start, model: "tiny", backend: "spare")
        let attempts = try #require(after.sums[spare])
        #expect(attempts.requests == 1)
        #expect(attempts.promptTokens == 20 && attempts.completionTokens == 7)
        #expect(try usage(books).sums[spare] == nil)
        #expect(try usage(books, ["other"]).sums.isEmpty)
    }

    @Test func `hours add up to their day, and dropped days are told`() throws {
        let books = try AuditBooks()
        let day = try usage(books)
        let hours = try usage(books, step: .hour)
        #expect(hours.sums.count > 1)
        #expect(
            hours.sums.values.reduce(BackendUsage.Sums(), +)
                == day.sums.values.reduce(BackendUsage.Sums(), +))
        #expect(day.droppedDays.isEmpty)
        _ = try books.store.retention.drop(keeping: 2)
        let gone = try usage(books)
        #expect(gone.sums.isEmpty)
        #expect(gone.droppedDays == [try books.midnight(daysAgo: 3).day])
        #expect(try usage(books, daysAgo: 0).openRequests == 1)
        #expect(throws: LedgerError.self) {
            try books.store.backendUsage.usage(
                BackendUsageQuery(
                    backends: ["local"], since: Timestamp(microseconds: 5),
                    until: Timestamp(microseconds: 5), step: .day))
        }
    }
}
