import Domain
import Ledger
import Postgres
import TestSupport
import Testing

@Suite struct `Retention` {
    private static let today = "(now() AT TIME ZONE 'UTC')::date"

    @Test func `dropping old days changes nothing that an audit says, however often it runs`()
        throws
    {
        let books = try AuditBooks()
        _ = try books.audit(.incremental)
        let report = try books.store.retention.drop(keeping: 3)
        #expect(report.obstacle == nil)
        #expect(report.dropped.map(\.records) == [4, 4, 4])
        #expect(try books.number("SELECT count(*) FROM usage") == 16)
        #expect(try books.number("SELECT count(*) FROM usage_partition_days() d") == 11)
        #expect(try books.audit(.complete).findings == [])
        #expect(try books.audit(.incremental).findings == [])
        let again = try books.store.retention.drop(keeping: 3)
        #expect(again == RetentionReport())
        // Without a seal that an audit had written, too.
        try books.run(
            "DELETE FROM sealed_day WHERE dropped_at IS NULL; DELETE FROM sealed_key k"
                + " WHERE NOT EXISTS (SELECT 1 FROM sealed_day d WHERE d.day = k.day); DELETE FROM"
                + " sealed_account k WHERE NOT EXISTS (SELECT 1 FROM sealed_day d WHERE d.day = k.day);"
                + " DELETE FROM sealed_node k"
                + " WHERE NOT EXISTS (SELECT 1 FROM sealed_day d WHERE d.day = k.day);"
        )
        #expect(try books.store.retention.drop(keeping: 2).dropped.count == 1)
        #expect(try books.audit(.complete).findings == [])
    }

    @Test func `a change of what a seal keeps is found after the records are gone`() throws {
        let books = try AuditBooks()
        _ = try books.store.retention.drop(keeping: 3)
        try books.run(
            "UPDATE usage_hour SET requests = requests + 1 WHERE hour < \(Self.today) - 4;")
        #expect(
            try books.audit(.complete).differences.map(\.rule)
                == Array(
                    repeating: "the rollup = the dropped records", count: 2))
        try books.run(
            "UPDATE usage_hour SET requests = requests - 1 WHERE hour < \(Self.today) - 4;")
        try books.run(
            "DELETE FROM sealed_account WHERE account_id = 1 AND day = \(Self.today) - 5;")
        #expect(try books.audit(.incremental).differences.map(\.row) == ["account_id=1"])
        try books.run("DELETE FROM sealed_node WHERE day = \(Self.today) - 4;")
        #expect(
            try books.audit(.incremental).differences.map(\.row)
                == ["account_id=1", "node_id=7", "node_id=7"])
    }

    @Test func `nothing is dropped while the books differ`() throws {
        let books = try AuditBooks()
        try books.run("UPDATE account SET used = used + 1 WHERE account_id = 1;")
        let report = try books.store.retention.drop(keeping: 3)
        guard case .differences(let found) = report.obstacle else {
            Issue.record("\(report)")
            return
        }
        #expect(found.map(\.row).contains("account_id=1"))
        #expect(try books.number("SELECT count(*) FROM usage") == 28)
    }

    @Test func `a day with an open request stays, and those after it`() throws {
        let books = try AuditBooks()
        try books.run("UPDATE reservation SET admitted_at = admitted_at - interval '5 days';")
        let report = try books.store.retention.drop(keeping: 3)
        #expect(report.dropped.count == 1)
        guard case .openRequests(let day, count: 1) = report.obstacle else {
            Issue.record("\(report)")
            return
        }
        #expect(day == (try books.midnight(daysAgo: 5)).day)
        #expect(try books.audit(.complete).differences == [])
    }

    @Test func `records that are not those of their seal are not dropped`() throws {
        let books = try AuditBooks()
        _ = try books.audit(.incremental)
        try books.run("UPDATE sealed_key SET prompt_tokens = 0 WHERE day = \(Self.today) - 5;")
        let report = try books.store.retention.drop(keeping: 3)
        #expect(report.dropped.count == 1)
        #expect(report.obstacle == .sealDiffers((try books.midnight(daysAgo: 5)).day))
        #expect(
            try books.number("SELECT count(*) FROM sealed_day WHERE dropped_at IS NOT NULL") == 1)
    }

    @Test func `a partition that a long reader holds is left, and nothing is half done`() throws {
        let books = try AuditBooks()
        let reader = try books.database.connection()
        try reader.execute(script: "BEGIN; SELECT count(*) FROM usage;")
        let report = try books.store.retention.drop(keeping: 5)
        #expect(report.obstacle == .busy((try books.midnight(daysAgo: 6)).day))
        #expect(try books.number("SELECT count(*) FROM sealed_day") == 0)
        try reader.execute(script: "COMMIT;")
        #expect(try books.store.retention.drop(keeping: 5).dropped.count == 1)
    }

    @Test func `young days are never dropped`() throws {
        let books = try AuditBooks()
        #expect(throws: LedgerError.self) { try books.store.retention.drop(keeping: 1) }
        #expect(try books.store.retention.due(keeping: 2).count == 4)
    }
}
