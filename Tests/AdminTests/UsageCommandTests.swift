import Domain
import Foundation
import Ledger
import Testing

@testable import Admin

@Suite struct `Admin usage` {
    private static func sums(
        _ requests: Int128, _ prompt: Int128, _ completion: Int128, cost: Int128 = 0,
        failed: Int128 = 0
    ) -> UsageSums {
        var sums = UsageSums()
        sums.requests = requests
        sums.failedRequests = failed
        sums.promptTokens = prompt
        sums.completionTokens = completion
        sums.chargedTokens = prompt + completion
        sums.costNanoUSD = cost
        return sums
    }

    private static func day(_ day: Int) -> UsageRow.Group {
        .day(CalendarDay(year: 2026, month: 11, day: day))
    }

    private static func ledger(_ rows: [UsageRow]) -> FakeAdminLedger {
        let ledger = FakeAdminLedger()
        ledger.change { $0.usage = rows }
        return ledger
    }

    @Test func `a report by day has aligned numbers, bars, totals and a picture of the days`() {
        let ledger = Self.ledger([
            UsageRow(
                group: Self.day(15), sums: Self.sums(1204, 482_113, 90_331, cost: 1_431_200_000)),
            UsageRow(group: Self.day(20), sums: Self.sums(88, 12_000, 1_000, cost: 20_000_000)),
            UsageRow(group: Self.day(21), sums: Self.sums(3, 300, 45, cost: 1_000_000)),
        ])
        let run = CommandRun.of("usage", with: ledger)
        #expect(
            run.output == """
                Day         Requests   Prompt  Completion   Tokens     Cost
                2026-11-15     1,204  482,113      90,331  572,444  $1.4312  ████████████
                2026-11-20        88   12,000       1,000   13,000  $0.0200  ▍
                2026-11-21         3      300          45      345  $0.0010  ▏
                ───────────────────────────────────────────────────────────
                Total          1,295  494,413      91,376  585,789  $1.4522

                Tokens   █    ▁▁

                """, "\(run.output)")
        #expect(
            ledger.change { $0.queries } == [
                UsageQuery(
                    organization: .default, team: nil, key: nil,
                    since: CalendarDay(year: 2026, month: 11, day: 14).start, until: nil,
                    grouping: .day)
            ])
    }

    @Test func `a report by key names the keys and leaves out what is all zero`() throws {
        let rows = [
            UsageRow(
                group: .key(KeyID(rawValue: 77), name: "ci", team: "research"),
                sums: Self.sums(2, 30, 12)),
            UsageRow(
                group: .key(KeyID(rawValue: 78), name: "laptop", team: "research"),
                sums: Self.sums(1, 5, 0)),
        ]
        let run = CommandRun.of("usage --by key", with: Self.ledger(rows))
        #expect(
            run.output == """
                Key          Name    Requests  Prompt  Completion  Tokens
                0000000001F  ci             2      30          12      42  ████████████
                0000000001G  laptop         1       5           0       5  █▌
                ─────────────────────────────────────────────────────────
                Total                       3      35          12      47

                """, "\(run.output)")
    }

    @Test(arguments: ["day", "hour", "month", "model", "team", "tag", "key", "end-state"])
    func `no line is wider than 80 columns, whatever the names and numbers`(grouping: String) {
        let names = [
            String(repeating: "w", count: 64), String(repeating: "研", count: 21), "a\tb\u{1B}[0m",
        ]
        let rows = names.enumerated().map { index, name -> UsageRow in
            let start = CalendarDay(year: 2026, month: 11, day: 15 + index).start
            let group: UsageRow.Group =
                switch grouping {
                case "day": .day(start.day)
                case "hour": .hour(start)
                case "month": .month(start.day.firstOfMonth)
                case "end-state": .endState(EndState.allCases[index + 3])
                case "model": .model(name)
                case "team": .team(name)
                case "tag": .tag(name)
                default: .key(KeyID(rawValue: .max), name: name, team: name)
                }
            return UsageRow(
                group: group,
                sums: Self.sums(
                    999_999_999_999_999, 999_999_999_999_999, 999_999_999_999_999,
                    cost: 999_999_999_999_999, failed: 999_999_999_999_999))
        }
        for width in [60, 80, 120] {
            let run = CommandRun.of(
                arguments: ["usage", "--by", grouping], with: Self.ledger(rows), width: width)
            #expect(run.status == 0)
            for line in run.lines { #expect(DisplayWidth.of(line) <= width, "\(line)") }
            let total = "2,999,999,999,999,997"
            #expect(
                run.output.contains(total) != (grouping == "tag") || width == 60, "\(run.output)")
            #expect(!run.output.contains("\u{1B}"))
            let compared = CommandRun.of(
                arguments: ["usage", "--compare", "--by", grouping], with: Self.ledger(rows),
                width: width)
            for line in compared.lines { #expect(DisplayWidth.of(line) <= width, "\(line)") }
        }
    }

    @Test func `JSON rows have stable names and exact numbers`() throws {
        let ledger = Self.ledger([
            UsageRow(
                group: .key(KeyID(rawValue: 77), name: "ci", team: "research"),
                sums: Self.sums(2, 9_007_199_254_740_993, 12, cost: 2_500_000_001))
        ])
        let run = CommandRun.of("usage --by key --format json", with: ledger)
        #expect(
            run.output == """
                [
                  {"key": "0000000001F", "key_name": "ci", "team": "research", "requests": 2, \
                "failed_requests": 0, "prompt_tokens": 9007199254740993, "cached_tokens": 0, \
                "cache_write_tokens": 0, "completion_tokens": 12, "reasoning_tokens": 0, \
                "total_tokens": 9007199254741005, "charged_tokens": 9007199254741005, \
                "cost_usd": "2.500000001", "cost_nanousd": 2500000001}
                ]

                """, "\(run.output)")
    }

    @Test func `times in rows are ISO 8601, in UTC or with their offset`() throws {
        let start = CalendarDay(year: 2026, month: 11, day: 21).start
        func record(
            _ group: UsageRow.Group, by grouping: UsageQuery.Grouping, in place: LocalTime = .utc
        ) throws -> Record {
            let line = UsageLine(label: .group(group), sums: UsageSums(), before: nil)
            return try #require(UsageView.record(line, by: grouping, in: place))
        }
        let day = try record(Self.day(21), by: .day)
        let hour = try record(.hour(start + .seconds(8 * 3600)), by: .hour)
        #expect(day.fields.first?.value == .text("2026-11-21"))
        #expect(hour.fields.first?.value == .text("2026-11-21T08:00:00Z"))
        #expect(day.fields.map(\.name) == UsageView.names(.day, comparing: false))
        #expect(hour.fields.map(\.name) == UsageView.names(.hour, comparing: false))
        let month = try record(.month(start.day.firstOfMonth), by: .month)
        #expect(month.fields.first?.value == .text("2026-11"))
        let berlin = try #require(LocalTime("Europe/Berlin"))
        #expect(
            try record(.hour(start), by: .hour, in: berlin).fields.first?.value
                == .text("2026-11-21T01:00:00+01:00"))
        let state = try record(.endState(.clientGone), by: .endState)
        #expect(state.fields.first.map { $0.name } == "end_state")
        #expect(state.fields.first?.value == .text("client_gone"))
    }

    @Test func `no usage is one line, an empty array, or a line of names`() {
        let ledger = FakeAdminLedger()
        #expect(CommandRun.of("usage", with: ledger).output == "No usage since 2026-11-14.\n")
        #expect(
            CommandRun.of("usage --since 24h --until 2026-11-21", with: ledger).output
                == "No usage since 2026-11-20 08:00 until 2026-11-21.\n")
        #expect(CommandRun.of("usage --format json", with: ledger).output == "[]\n")
        #expect(
            CommandRun.of("usage --by model --format csv", with: ledger).output
                .hasPrefix("model,requests,failed_requests,prompt_tokens,"))
    }

    @Test func `a report over one hour, or over a hundred years, still has a picture or none`() {
        let start = CalendarDay(year: 2026, month: 11, day: 21).start
        let rows = (0..<8).map { hour in
            UsageRow(
                group: .hour(start + .seconds(hour * 3600)), sums: Self.sums(1, Int128(hour), 0))
        }
        let run = CommandRun.of("usage --by hour --since 2026-11-21", with: Self.ledger(rows))
        #expect(run.lines.last == "Tokens   ▂▃▄▅▆▇█")
        let long = CommandRun.of("usage --by hour --since 1970-01-01", with: Self.ledger(rows))
        #expect(long.status == 0)
        #expect(!long.output.contains("Tokens  "))
    }
}
