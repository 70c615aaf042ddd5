import Domain
import Foundation
import Postgres
import TestSupport
import Testing

@testable import Ledger

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

    @Test func `a change of how requests ended, or of their times, is found`() throws {
        let books = try AuditBooks()
        _ = try books.store.retention.drop(keeping: 3)
        #expect(try books.number("SELECT count(*) FROM sealed_end WHERE timed > 0") == 3)
        #expect(try books.audit(.complete).findings == [])
        let changes = [
            ("requests = requests + 1", "how requests ended = the dropped records"),
            ("duration_counts = '{3}'", "a timed request has one end"),
            ("first_token_counts = '{3}'", "a timed request has at most one first token"),
        ]
        for (change, rule) in changes {
            try books.run(
                """
                CREATE TABLE before AS SELECT * FROM sealed_end;
                UPDATE sealed_end SET \(change) WHERE end_state = 1 AND day = \(Self.today) - 5;
                """)
            #expect(try books.audit(.complete).differences.map(\.rule) == [rule], "\(change)")
            try books.run(
                """
                DELETE FROM sealed_end; INSERT INTO sealed_end SELECT * FROM before;
                DROP TABLE before;
                """)
        }
        try books.run("DELETE FROM sealed_end WHERE day = \(Self.today) - 5;")
        #expect(try books.audit(.complete).differences.map(\.table) == ["sealed_end"])
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

    /// Everything that a dropped day leaves behind, but for the times of sealing.
    private static let endState = """
        SELECT concat_ws('; ',
            (SELECT string_agg(d::text, ' ') FROM usage_partition_days() d),
            (SELECT string_agg(concat_ws(' ', day, records, first_settled_at, last_settled_at,
                dropped_at IS NULL), ', ' ORDER BY day) FROM sealed_day),
            (SELECT string_agg(s::text, ', ' ORDER BY s::text) FROM sealed_account s),
            (SELECT string_agg(s::text, ', ' ORDER BY s::text) FROM sealed_key s),
            (SELECT string_agg(s::text, ', ' ORDER BY s::text) FROM sealed_node s),
            (SELECT string_agg(concat_ws(' ', day, has_ends), ', ' ORDER BY day) FROM sealed_day),
            (SELECT string_agg(s::text, ', ' ORDER BY s::text) FROM sealed_end s),
            (SELECT string_agg(u::text, ', ' ORDER BY u::text) FROM usage u),
            (SELECT string_agg(a::text, ', ' ORDER BY a::text) FROM account a))
        """

    @Test(arguments: [false, true])
    func `retention that is killed before any of its statements ends as if it had not been`(
        isSealed: Bool
    ) throws {
        let books = try AuditBooks()
        if isSealed { _ = try books.audit(.incremental) }
        var whole = [try books.text(Self.endState)]
        let killer = try books.database.connection()
        var kills = 0
        while true {
            let store = try DirectoryStore(
                url: books.database.url, random: DirectoryFixture.random, author: .test)
            let pid = try store.connection.execute(
                PostgresCommand(
                    PostgresStatement(name: nil, sql: "SELECT pg_backend_pid()::int8"), [])
            ).rows[0].int8(0)
            var steps = 0
            let retention = RetentionStore(store.connection, store.recorder) {
                steps += 1
                guard steps == kills + 1 else { return }
                try? killer.execute(
                    script: """
                        SELECT pg_terminate_backend(\(pid), 10000);
                        """)
            }
            do {
                let report = try retention.drop(keeping: 4)
                #expect(report.obstacle == nil && steps <= kills)
                break
            } catch {
                kills += 1
                let now = try books.text(Self.endState)
                if now != whole.last { whole.append(now) }
                #expect(try books.audit(.complete).findings == [])
                try Self.checkActions(books)
            }
        }
        try Self.checkActions(books)
        let end = try books.text(Self.endState)
        if end != whole.last { whole.append(end) }
        // Nothing dropped, one day dropped, both: never anything between.
        #expect(whole.count == 3 && kills >= 10, "\(kills) kills")
        let other = try AuditBooks()
        if isSealed { _ = try other.audit(.incremental) }
        #expect(try other.store.retention.drop(keeping: 4).dropped.count == 2)
        #expect(end == (try other.text(Self.endState)))
        #expect(try books.audit(.incremental).findings == [])
        #expect(try books.audit(.complete).findings == [])
    }

    /// Each day that is gone has the action that dropped it, and no other has one.
    private static func checkActions(_ books: AuditBooks) throws {
        var query = ActionQuery(organization: nil, limit: 100)
        query.action = .recordsDrop
        let days = try books.store.actions.list(query)
        #expect(days.allSatisfy { $0.before?["records"] == .number(4) && $0.after == nil })
        let sealed = try books.text(
            "SELECT coalesce(string_agg(DISTINCT day::text, ' '), '') FROM sealed_day"
                + " WHERE dropped_at IS NOT NULL")
        #expect(days.map(\.subject.name).sorted().joined(separator: " ") == sealed)
    }

    @Test func `a database that was away for days gets its partitions, and its strays move there`()
        throws
    {
        let books = try AuditBooks()
        // No partition was made for yesterday, today and the days to come.
        try books.run(
            """
            CREATE TEMP TABLE x AS SELECT * FROM usage WHERE day >= \(Self.today) - 1;
            DO $$ DECLARE this_day date; BEGIN
                FOR this_day IN SELECT p FROM usage_partition_days() AS p
                    WHERE p >= (now() AT TIME ZONE 'UTC')::date - 1
                LOOP EXECUTE 'DROP TABLE usage_' || to_char(this_day, 'YYYYMMDD'); END LOOP;
            END $$;
            INSERT INTO usage SELECT * FROM x;
            """)
        let strays = try books.audit(.complete).findings
        #expect(strays.count == 8 && strays.allSatisfy { $0.table == "usage_default" })
        #expect(strays.allSatisfy { $0.weight == .difference })
        let made = try books.store.connection.execute(PartitionStatement.command).rows[0].int4(0)
        #expect(made == 9)
        #expect(try books.store.connection.execute(PartitionStatement.command).rows[0].int4(0) == 0)
        #expect(try books.number("SELECT count(*) FROM usage_default") == 0)
        #expect(
            try books.number(
                """
                SELECT count(*) FROM usage_partition_days() d
                WHERE d BETWEEN \(Self.today) AND \(Self.today) + 7
                """) == 8)
        #expect(try books.audit(.complete).findings == [])
    }

    @Test func `making a partition behind a long reader makes no writer wait`() throws {
        let books = try AuditBooks()
        let reader = try books.database.connection()
        let maker = try books.database.connection()
        try reader.execute(script: "BEGIN; SELECT count(*) FROM usage;")
        let done = DispatchSemaphore(value: 0)
        nonisolated(unsafe) let making = maker
        Thread.detachNewThread {
            try? making.execute(
                script: "SELECT make_usage_partitions((now() AT TIME ZONE 'UTC')::date + 20, 1)",
                within: .seconds(60))
            done.signal()
        }
        // It waits for the reader now.
        while try books.number("SELECT count(*) FROM pg_locks WHERE NOT granted") == 0 {}
        try books.run(
            """
            SET lock_timeout = '5s';
            CREATE TEMP TABLE x AS SELECT * FROM usage_\(try books.text(
                "SELECT to_char((now() AT TIME ZONE 'UTC')::date, 'YYYYMMDD')")) LIMIT 1;
            UPDATE x SET request_id = '01900000-0000-7000-8000-000000000003';
            INSERT INTO usage SELECT * FROM x;
            """)
        try reader.execute(script: "COMMIT;")
        done.wait()
        #expect(
            try books.number(
                """
                SELECT count(*) FROM usage_partition_days() d WHERE d = \(Self.today) + 20
                """) == 1)
    }

    @Test func `a late record of a dropped day stays where it is and is told`() throws {
        let books = try AuditBooks()
        try books.run(
            "CREATE TABLE late AS SELECT * FROM usage WHERE day = \(Self.today) - 5 AND basis = 5;")
        _ = try books.store.retention.drop(keeping: 3)
        try books.run(
            """
            UPDATE late SET request_id = '01900000-0000-7000-8000-000000000004';
            INSERT INTO usage SELECT * FROM late;
            UPDATE usage_hour h SET failed_requests = h.failed_requests + 1
            FROM late x WHERE h.hour = date_trunc('hour', x.admitted_at, 'UTC');
            UPDATE node_lane SET opened = opened + 1, settled = settled + 1;
            """)
        _ = try books.store.connection.execute(PartitionStatement.command)
        let report = try books.audit(.complete)
        #expect(report.differences == [])
        #expect(report.warnings.map(\.table) == ["usage_default"])
    }

    @Test func `young days are never dropped`() throws {
        let books = try AuditBooks()
        #expect(throws: LedgerError.self) { try books.store.retention.drop(keeping: 1) }
        #expect(try books.store.retention.due(keeping: 2).count == 4)
    }
}
