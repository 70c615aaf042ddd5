import Domain
import Ledger
import Testing

@testable import Admin

/// Top lists, comparisons and pictures, at 80 columns.
@Suite struct `Usage reports for people` {
    private static func sums(
        _ requests: Int128, _ tokens: Int128, cost: Int128, failed: Int128 = 0
    ) -> UsageSums {
        var sums = UsageSums()
        sums.requests = requests
        sums.failedRequests = failed
        sums.promptTokens = tokens - tokens / 4
        sums.cachedTokens = tokens / 8
        sums.completionTokens = tokens / 4
        sums.reasoningTokens = tokens / 16
        sums.chargedTokens = tokens
        sums.costNanoUSD = cost
        return sums
    }

    private static func day(_ day: Int) -> UsageRow.Group {
        .day(CalendarDay(year: 2026, month: 11, day: day))
    }

    private static let models = [
        UsageRow(group: .model("gpt-4o"), sums: sums(900, 4_000_000, cost: 31_500_000_000)),
        UsageRow(
            group: .model("demo"), sums: sums(1_200, 800_000, cost: 0, failed: 12)),
        UsageRow(group: .model("o4"), sums: sums(10, 40_000, cost: 44_000_000_000)),
        UsageRow(group: .model("tiny"), sums: sums(3, 200, cost: 1_000)),
    ]

    @Test func `every class of token has a column where the terminal is wide enough`() throws {
        let ledger = FakeAdminLedger()
        ledger.change { $0.usage = Self.models }
        try Golden.check(
            CommandRun.of("usage --by model", with: ledger).output, is: "usage-by-model")
        try Golden.check(
            CommandRun.of("usage --by model", with: ledger, width: 140).output,
            is: "usage-by-model-wide")
    }

    @Test func `a top list has the largest by its measure, and the others in one line`() throws {
        let ledger = FakeAdminLedger()
        ledger.change { $0.usage = Self.models }
        try Golden.check(
            CommandRun.of("usage --by model --top 2 --rank cost", with: ledger).output,
            is: "usage-top-cost")
        let records = CommandRun.of("usage --by model --top 2 --format csv", with: ledger)
        #expect(records.output.split(separator: "\r\n").count == 3)
        #expect(records.output.contains("\r\ngpt-4o,900,0,"))
        // Without --top the measure still orders the rows.
        let order = CommandRun.of("usage --by model --rank failed --format csv", with: ledger)
        #expect(order.output.contains("cost_nanousd\r\ndemo,"))
    }

    @Test func `a comparison says by how much each row changed, and what is new or gone`() throws {
        let ledger = FakeAdminLedger()
        ledger.change {
            $0.nextUsage = [
                Self.models.dropLast(),
                [
                    UsageRow(
                        group: .model("demo"), sums: Self.sums(1_500, 1_000_000, cost: 0)),
                    UsageRow(
                        group: .model("gpt-4o"),
                        sums: Self.sums(300, 1_000_000, cost: 9_000_000_000)),
                    UsageRow(group: .model("old"), sums: Self.sums(5, 500, cost: 5_000_000)),
                ],
            ]
        }
        try Golden.check(
            CommandRun.of("usage --by model --compare", with: ledger).output,
            is: "usage-compare")
    }

    @Test func `days are set against the days before them, also those without usage now`() throws {
        let ledger = FakeAdminLedger()
        ledger.change {
            $0.nextUsage = [
                [
                    UsageRow(group: Self.day(14), sums: Self.sums(2, 200, cost: 20)),
                    UsageRow(group: Self.day(16), sums: Self.sums(1, 100, cost: 10)),
                ],
                [
                    UsageRow(group: Self.day(6), sums: Self.sums(1, 100, cost: 10)),
                    UsageRow(group: Self.day(7), sums: Self.sums(4, 400, cost: 40)),
                ],
            ]
        }
        let run = CommandRun.of("usage --compare --format csv", with: ledger)
        let header = try #require(run.output.split(separator: "\r\n").first)
        #expect(
            header.hasSuffix(
                "cost_nanousd,previous_requests,previous_failed_requests,previous_total_tokens,"
                    + "previous_cost_usd,previous_cost_nanousd"))
        let rows = run.output.split(separator: "\r\n").dropFirst().map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        #expect(rows.map { String($0[0]) } == ["2026-11-14", "2026-11-15", "2026-11-16"])
        #expect(rows.map { String($0[14]) } == ["100", "400", "0"])
    }

    @Test(arguments: [
        (0, 0, ""), (5, 5, "0 %"), (5, 0, "new"), (0, 5, "-100 %"), (3, 2, "+50 %"),
        (2, 3, "-33 %"), (200, 201, "0 %"), (1_000_000, 1, "> 9999 %"), (1005, 1000, "+1 %"),
        (995, 1000, "-1 %"),
    ])
    func `a change is in whole per cent`(_ now: Int128, _ before: Int128, _ text: String) {
        #expect(UsageTable.change(now, from: before) == text)
        #expect(UsageTable.change(.max, from: 1) == "> 9999 %")
    }

    @Test func `a heat map has a row for each day and a square for each hour`() throws {
        let ledger = FakeAdminLedger()
        let start = CalendarDay(year: 2026, month: 11, day: 18).start
        ledger.change {
            $0.usage = (0..<80).filter { $0 / 24 != 1 }.map { hour in
                UsageRow(
                    group: .hour(start + .seconds(Int64(hour) * 3600)),
                    sums: Self.sums(1, Int128(hour % 24) * 100, cost: 0))
            }
        }
        let run = CommandRun.of("usage --since 3d --chart heatmap", with: ledger)
        try Golden.check(run.output, is: "usage-heatmap")
        for line in run.lines { #expect(DisplayWidth.of(line) <= 80) }
        #expect(ledger.change { $0.queries }.map(\.grouping) == [.hour])
        let none = CommandRun.of("usage --chart none", with: ledger)
        #expect(!none.output.contains("█"))
    }

    @Test func `the help is as it was reviewed`() throws {
        for command in ["usage", "usage export"] {
            let run = CommandRun.of("\(command) --help", with: FakeAdminLedger())
            try Golden.check(
                run.output, is: "help-" + command.split(separator: " ").joined(separator: "-"))
        }
    }
}
