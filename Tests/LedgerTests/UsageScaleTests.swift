import Domain
import Foundation
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// Reports and exports over books of any size. `TURNPIKE_USAGE_ROWS` says how many records there
/// are, 20,000 unless it is set; with 10,000,000 the report must answer in under a second, and the
/// export's memory must not grow. The figures are printed.
@Suite(.serialized) struct `Books of many rows` {
    private static let rows =
        Int64(ProcessInfo.processInfo.environment["TURNPIKE_USAGE_ROWS"] ?? "") ?? 20_000
    private static let isMeasured = rows >= 1_000_000
    /// Thirteen months of hours.
    private static let hours: Int64 = 395 * 24
    private static let start = CalendarDay(year: 2025, month: 11, day: 1).start

    private static func milliseconds(_ body: () throws -> Void) rethrows -> Int64 {
        let start = ContinuousClock.now
        try body()
        return (ContinuousClock.now - start).microseconds / 1000
    }

    /// The process's memory, in kilobytes: now, and at most.
    private static func memory(_ name: String) -> Int64 {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix(name) } ?? ""
        return Int64(line.filter(\.isNumber)) ?? 0
    }

    /// Fifty keys of five teams, three models and two nodes: the rollup has a row for each hour,
    /// key and model that had requests, and each record is counted in one.
    private static func fill(_ database: TestDatabase) throws -> DirectoryStore {
        let store = try DirectoryStore(
            url: database.url, random: DirectoryFixture.random, author: .test)
        let shard = OrganizationID.default.shard.rawValue
        try store.connection.execute(
            script: """
                SET synchronous_commit = off;
                INSERT INTO team (shard, team_id, organization_id, name)
                    SELECT \(shard), 100 + n, 1, 'team-' || n FROM generate_series(1, 5) n;
                INSERT INTO model (shard, model_id, name)
                    SELECT \(shard), n, 'model-' || n FROM generate_series(1, 3) n;
                INSERT INTO api_key (shard, key_id, organization_id, team_id, subject_id, name,
                        prefix, mac, pepper_id, last4)
                    SELECT \(shard), \(KeyID(shard: OrganizationID.default.shard, random: 0).databaseValue)
                        + n, 1, 101 + n % 5, n, 'key-' || n, 'sk-test',
                        decode(repeat('ab', 32), 'hex'), 1, 'abcd' FROM generate_series(1, 50) n;
                """)
        return store
    }

    /// The rollup of `rows` requests over thirteen months.
    private static func fillRollup(_ store: DirectoryStore) throws {
        let shard = OrganizationID.default.shard
        // Rows per hour, at most one for each key, model and node.
        let perHour = min(300, max(1, rows / hours))
        let requests = max(1, rows / (hours * perHour))
        try store.connection.execute(
            script: """
                SET statement_timeout = 0;
                INSERT INTO usage_hour (shard, hour, key_id, model_id, node_id, requests,
                    failed_requests, prompt_tokens, cached_tokens, cache_write_tokens,
                    completion_tokens, reasoning_tokens, charged, overage, cost_nanousd)
                SELECT \(shard.rawValue), to_timestamp(\(start.seconds) + h * 3600),
                    \(KeyID(shard: shard, random: 0).databaseValue) + 1 + n % 50, 1 + n / 50 % 3,
                    1 + n / 150, \(requests), 0, \(requests) * 400, 100, 0, \(requests) * 100, 10,
                    \(requests) * 500, 0, \(requests) * 1000000
                FROM generate_series(0, \(hours) - 1) h, generate_series(0, \(perHour) - 1) n;
                """)
        // As old hours are in a database that has run for long.
        try store.connection.execute(script: "VACUUM (ANALYZE) usage_hour")
    }

    @Test func `a report over thirteen months answers in under a second from the rollup`() throws {
        let database = try TestDatabase.make()
        let store = try Self.fill(database)
        try Self.fillRollup(store)
        for grouping in UsageQuery.Grouping.allCases where grouping != .endState {
            var counted: [UsageRow] = []
            let query = UsageQuery(
                organization: .default, team: nil, key: nil, since: Self.start, until: nil,
                grouping: grouping)
            // The quickest of three: the machine has other work.
            let spent =
                try (0..<3).map { _ in
                    try Self.milliseconds { counted = try store.reports.usage(query) }
                }.min() ?? .max
            let requests = counted.map(\.sums.requests).reduce(0, +)
            let cells = min(300, max(1, Self.rows / Self.hours)) * Self.hours
            #expect(requests == Int128(max(1, Self.rows / cells) * cells))
            if Self.isMeasured {
                FileHandle.standardError.write(
                    Data("usage by \(grouping.rawValue): \(spent) ms, \(cells) rollup rows\n".utf8))
                #expect(spent < 1000, "\(grouping)")
            }
        }
    }

    @Test func `an export reads every record once, in order, and holds one page of them`() throws {
        let database = try TestDatabase.make()
        let store = try Self.fill(database)
        let shard = OrganizationID.default.shard
        let days: Int64 = 30
        let perDay = max(1, Self.rows / days)
        let base = KeyID(shard: shard, random: 0).databaseValue
        try store.connection.execute(
            script: "SELECT make_usage_partitions('\(Self.start.day)', \(days))")
        for day in 0..<days {
            let date = CalendarDay(rawValue: Self.start.day.rawValue + Int32(day))
            try store.connection.execute(
                script: """
                    SET statement_timeout = 0;
                    INSERT INTO usage (shard, day, request_id, key_id, model_id, backend_id,
                        prompt_tokens, cached_tokens, cache_write_tokens, completion_tokens,
                        reasoning_tokens, charged, cost_nanousd, basis, end_state, account_ids,
                        charges, node_id, admitted_at, settled_at, first_token_us, duration_us)
                    SELECT \(shard.rawValue), '\(date)',
                        (lpad(to_hex(\(date.start.seconds * 1000) + n * 86400000 / \(perDay)), 12, '0')
                            || '7' || lpad(to_hex(n % 4096), 3, '0') || '8000'
                            || lpad(to_hex(n), 12, '0'))::uuid,
                        \(base) + 1 + n % 50, 1 + n % 3, 1, 400, 0, 0, 100, 0, 500, 1000000, 1, 1,
                        '{}', '{}', 1, to_timestamp(\(date.start.seconds) + n * 86400 / \(perDay)),
                        to_timestamp(\(date.start.seconds) + n * 86400 / \(perDay) + 1), 1000, 2000
                    FROM generate_series(0::int8, \(perDay) - 1) n;
                    """)
        }
        try store.connection.execute(script: "ANALYZE usage")
        let query = ExportQuery(
            organization: .default, team: nil, key: nil, since: Self.start,
            until: Self.start + .seconds(days * 86_400))
        var position: ExportPosition? = query.start
        var count: Int64 = 0
        var last = RequestID(rawValue: 0)
        var before: Int64 = 0
        let spent = try Self.milliseconds {
            while let place = position {
                let page = try store.reports.export(query, from: place)
                for record in page.records {
                    #expect(record.requestID.rawValue > last.rawValue)
                    last = record.requestID
                }
                count += Int64(page.records.count)
                position = page.next
                // What the first pages took, the last ones take too.
                if before == 0, count >= min(perDay, 20_000) { before = Self.memory("VmRSS") }
            }
        }
        let grown = Self.memory("VmRSS") - before
        #expect(count == perDay * days)
        #expect(grown < 50_000, "\(grown) kB more at the end")
        if Self.isMeasured {
            FileHandle.standardError.write(
                Data(
                    ("export of \(count) records: \(spent) ms, \(grown) kB more at the end, "
                        + "\(Self.memory("VmHWM")) kB at most\n").utf8))
        }
    }

    @Test
    func `an export is of one organization, team and key, and begins and ends where it is told`()
        throws
    {
        let books = try UsageBooks()
        for (number, key) in [UsageBooks.ci, UsageBooks.laptop, UsageBooks.theirs].enumerated() {
            for hour in 0..<50 as Range<Int64> {
                try books.record(
                    key, hour: hour, number: UInt64(number * 100) + UInt64(hour), state: .finished,
                    tokens: hour)
            }
        }
        func export(
            team: Int64? = nil, key: KeyID? = nil, of organization: OrganizationID = .default,
            from: Int64 = 0, to: Int64 = 50
        ) throws -> [ExportRecord] {
            let query = ExportQuery(
                organization: organization, team: team.map(TeamID.init), key: key,
                since: UsageBooks.start + .seconds(from * 3600),
                until: UsageBooks.start + .seconds(to * 3600))
            var records: [ExportRecord] = []
            var position: ExportPosition? = query.start
            while let place = position {
                let page = try books.store.reports.export(query, from: place)
                records += page.records
                position = page.next
            }
            return records
        }
        #expect(try export().count == 100)
        #expect(
            try export(of: UsageBooks.neighbour).map(\.key)
                == .init(repeating: UsageBooks.theirs, count: 50))
        #expect(try export(key: UsageBooks.theirs).isEmpty)
        #expect(try export(team: 13).isEmpty)
        #expect(try export(team: 12, from: 23, to: 26).map(\.usage.prompt) == [23, 24, 25])
        let one = try #require(try export(key: UsageBooks.ci, from: 7, to: 8).first)
        #expect(one.team == "research" && one.keyName == "ci" && one.model == "tiny")
        #expect(one.backend == "#1" && one.endState == .finished && one.basis == .reported)
        #expect(one.admittedAt == UsageBooks.start + .seconds(7 * 3600))
    }
}
