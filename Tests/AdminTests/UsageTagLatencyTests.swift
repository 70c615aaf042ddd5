import Domain
import Ledger
import Testing

@testable import Admin

/// `usage --tag`, `--by tag` and `--latency`, and what an export refuses.
@Suite struct `Usage by tag, and times` {
    private static func sums(_ tokens: Int128) -> UsageSums {
        var sums = UsageSums()
        sums.requests = 2
        sums.promptTokens = tokens
        return sums
    }

    private static func times(_ scale: Int64) -> LatencyRow.Percentiles {
        LatencyRow.Percentiles(
            p50: .microseconds(12_345 * scale), p95: .microseconds(612_345 * scale),
            p99: .microseconds(41_234_567 * scale))
    }

    @Test func `tags go with the query, of a report and of an export`() {
        let ledger = FakeAdminLedger()
        let run = CommandRun.of("usage --tag env=prod --tag owner=ada", with: ledger)
        #expect(run.status == 0, "\(run.complaint)")
        #expect(ledger.change { $0.queries.last?.tags } == ["env=prod", "owner=ada"])
        ledger.change { $0.pages = [[]] }
        let export = CommandRun.of("usage export --tag env=prod", with: ledger)
        #expect(export.status == 0, "\(export.complaint)")
        #expect(ledger.change { $0.exports.last?.tags } == ["env=prod"])
        for bad in ["env", "=prod"] {
            let run = CommandRun.of("usage --tag \(bad)", with: ledger)
            #expect(run.status == 2 && run.complaint.contains("env=prod"), "\(run.complaint)")
        }
    }

    @Test func `rows of tags have no total, and say why`() {
        let ledger = FakeAdminLedger()
        ledger.change {
            $0.usage = [
                UsageRow(group: .tag("env=prod"), sums: Self.sums(10)),
                UsageRow(group: .tag(nil), sums: Self.sums(3)),
            ]
        }
        let run = CommandRun.of("usage --by tag", with: ledger)
        #expect(run.output.contains("env=prod") && run.output.contains("(no tag)"))
        #expect(!run.output.contains("Total") && run.output.contains("may not add up"))
        let json = CommandRun.of("usage --by tag --format json", with: ledger).output
        #expect(json.contains(#"{"tag": "env=prod", "#) && json.contains(#"{"tag": null, "#))
    }

    @Test(arguments: UsageQuery.Grouping.allCases)
    func `times fit 80 columns, and programs get microseconds`(_ grouping: UsageQuery.Grouping) {
        let name = String(repeating: "w", count: 64)
        let group: UsageRow.Group =
            switch grouping {
            case .day: .day(CalendarDay(year: 2026, month: 11, day: 20))
            case .hour: .hour(CalendarDay(year: 2026, month: 11, day: 20).start)
            case .month: .month(CalendarDay(year: 2026, month: 11, day: 1))
            case .model: .model(name)
            case .team: .team(name)
            case .tag: .tag(name)
            case .key: .key(KeyID(rawValue: .max), name: name, team: name)
            case .endState: .endState(.failedBeforeFirstByte)
            }
        let ledger = FakeAdminLedger()
        ledger.change {
            $0.latency = [
                LatencyRow(
                    group: group, requests: 9_999_999, firstToken: Self.times(1),
                    duration: Self.times(7), isApproximate: true),
                LatencyRow(
                    group: group, requests: 1, firstToken: nil, duration: Self.times(1),
                    isApproximate: false),
            ]
        }
        let run = CommandRun.of("usage --latency --by \(grouping.rawValue)", with: ledger)
        #expect(run.status == 0, "\(run.complaint)")
        for line in run.lines { #expect(DisplayWidth.of(line) <= 80, "\(line)") }
        #expect(run.output.contains("12 ms") && run.output.contains("86 ms"), "\(run.output)")
        let json = CommandRun.of(
            "usage --latency --format json --by \(grouping.rawValue)", with: ledger)
        #expect(json.output.contains(#""first_token_p50_us": 12345, "#), "\(json.output)")
        #expect(
            json.output.contains(
                #""duration_p99_us": 288641969, "times": "approximate", "error_permille": 32}"#))
        #expect(json.output.contains(#""times": "exact", "error_permille": 0}"#))
        #expect(json.output.contains(#""first_token_p99_us": null"#))
    }

    @Test func `what is approximate is marked, and what nobody knows is said`() {
        func row(_ isApproximate: Bool) -> LatencyRow {
            LatencyRow(
                group: .model("tiny"), requests: 5, firstToken: Self.times(1),
                duration: Self.times(1), isApproximate: isApproximate)
        }
        let day = CalendarDay(year: 2026, month: 9, day: 3)
        let ledger = FakeAdminLedger()
        ledger.change { $0.latency = [row(false)] }
        let exact = CommandRun.of("usage --latency --by model", with: ledger)
        #expect(exact.output.contains("12 ms") && !exact.output.contains("~"))
        ledger.change {
            $0.latency = [row(true)]
            $0.dropped = DroppedDays(days: day...day.next, unknown: nil)
        }
        let told = CommandRun.of("usage --latency --by model --since 390d", with: ledger)
        #expect(told.status == 0, "\(told.complaint)")
        #expect(told.output.contains("~12 ms") && told.output.contains("3.2 per cent"))
        #expect(told.output.contains("2026-09-03 to 2026-09-04") && told.complaint.isEmpty)
        ledger.change { $0.dropped = DroppedDays(days: day...day.next, unknown: day...day) }
        for (line, isTable) in [
            ("usage --latency --by model", true), ("usage --latency --format csv", false),
            ("usage --by end-state", true), ("usage --by end-state --format json", false),
        ] {
            let run = CommandRun.of(line, with: ledger)
            let words = (isTable ? run.output : run.complaint)
                .split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(words.contains("Nothing is known of days within 2026-09-03"), "\(line)")
            #expect(run.complaint.isEmpty == isTable)
        }
        #expect(CommandRun.of("usage --by model", with: ledger).complaint.isEmpty)
    }

    @Test func `a time has at most seven columns`() {
        let cases: [(Int64, String)] = [
            (0, "0 ms"), (499, "0 ms"), (500, "1 ms"), (999_499, "999 ms"), (999_500, "1.00 s"),
            (1_234_567, "1.24 s"), (12_345_000, "12.35 s"), (99_994_000, "99.99 s"),
            (100_000_000, "100 s"),
        ]
        for (microseconds, text) in cases {
            #expect(UsageLatencyView.text(.microseconds(microseconds)) == text)
        }
    }

    @Test func `times are of thirteen months at most, in the days of a place`() {
        let ledger = FakeAdminLedger()
        let run = CommandRun.of(
            "usage --latency --since 400d --time-zone Europe/Berlin", with: ledger)
        #expect(run.status == 0, "\(run.complaint)")
        #expect(ledger.change { $0.zones } == ["Europe/Berlin"])
        let long = CommandRun.of("usage --latency --since 410d", with: ledger)
        #expect(long.status == 2 && long.complaint.contains("400 days"), "\(long.complaint)")
        for option in ["--top 3", "--compare", "--chart heatmap", "--watch", "--rank cost"] {
            #expect(CommandRun.of("usage --latency \(option)", with: ledger).status == 2)
        }
        #expect(CommandRun.of("usage --by tag --watch", with: ledger).status == 2)
        #expect(ledger.change { $0.zones.count } == 1)
    }

    @Test(arguments: [
        "--top 5", "--by model", "--rank cost", "--compare", "--latency", "--chart none", "--watch",
        "--every 3",
    ])
    func `an export refuses what it cannot do, and writes nothing`(_ option: String) {
        for line in ["usage export \(option)", "usage \(option) export"] {
            let ledger = FakeAdminLedger()
            let run = CommandRun.of(line, with: ledger)
            #expect(run.status == 2 && run.output.isEmpty, "\(line): \(run.output)")
            let name = option.prefix { $0 != " " }
            #expect(run.complaint.contains("no \(name)"), "\(run.complaint)")
            #expect(ledger.change { $0.exports.isEmpty })
        }
    }
}
