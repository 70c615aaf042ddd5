import Domain
import Ledger
import Testing

@testable import Admin

@Suite struct `Admin usage export and watch` {
    private static let start = CalendarDay(year: 2026, month: 11, day: 20).start

    private static func record(_ number: UInt64, key name: String = "ci") -> ExportRecord {
        ExportRecord(
            requestID: RequestID(at: start, random: (number, number)), admittedAt: start,
            settledAt: start + .seconds(2), team: "research", key: KeyID(rawValue: 77),
            keyName: name, model: "gpt-4o", backend: "openai",
            usage: TokenUsage(prompt: 10, cached: 4, cacheWrite: 1, completion: 5, reasoning: 2),
            charged: 15, overage: 0, cost: NanoUSD(rawValue: 2_500_000_001), priceVersion: 3,
            basis: .reported, endState: .finished, timeToFirstToken: nil,
            duration: .microseconds(1_234_567))
    }

    private static func ledger(_ pages: [[ExportRecord]], expected: Int64) -> FakeAdminLedger {
        let ledger = FakeAdminLedger()
        ledger.change {
            $0.pages = pages
            $0.exportCount = expected
        }
        return ledger
    }

    @Test func `an export is a CSV file of every page, in one header's order`() throws {
        let ledger = Self.ledger(
            [
                [Self.record(1), Self.record(2, key: "=1+1")], [],
                [Self.record(3, key: "a \"b\", c")],
            ],
            expected: 3)
        let run = CommandRun.of(
            "usage export --since 2026-11-20 --until 2026-11-21", with: ledger)
        #expect(run.status == 0 && run.complaint.isEmpty)
        try Golden.check(run.output.replacing("\r\n", with: "\n"), is: "usage-export-csv")
        // Each line ends as RFC 4180 says, and a name is no formula.
        #expect(run.output.split(separator: "\r\n").count == 4)
        #expect(run.output.contains(",'=1+1,") && run.output.contains(#","a ""b"", c","#))
        let query = ledger.change { $0.exports[0] }
        #expect(query.since == Self.start && query.until == Self.start.day.next.start)
    }

    @Test func `in JSON it is one array with a record on each line`() {
        let ledger = Self.ledger([[Self.record(1)], [Self.record(2)]], expected: 2)
        let run = CommandRun.of("usage export --format json", with: ledger)
        #expect(run.lines.count == 4)
        #expect(run.lines.first == "[" && run.lines.last == "]")
        #expect(run.lines[1].hasPrefix("  {\"request_id\": \"req_") && run.lines[1].hasSuffix("},"))
        let end = "\"first_token_us\": null, \"duration_us\": 1234567, \"user_hash\": null}"
        #expect(run.lines[2].hasSuffix(end))
        let none = CommandRun.of(
            "usage export --format json", with: Self.ledger([], expected: 0))
        #expect(none.output == "[]\n")
    }

    @Test func `it shows how far it has come and takes that away at the end`() {
        let pages = (0..<40).map { [Self.record($0)] }
        let run = CommandRun.of("usage export", with: Self.ledger(pages, expected: 40))
        // A page takes a tenth of a second here; it is shown every two.
        #expect(run.progress.count == 21)
        #expect(run.progress.last == "")
        #expect(
            run.progress[18]
                == "███████████████████  95 %  38 of 40 rows  10/s  0s left", "\(run.progress[18])")
        #expect(
            ProgressText.line(done: 5, of: 0, elapsed: .zero, width: 80) == "5 rows")
        #expect(
            ProgressText.line(
                done: 2_500_000, of: 10_000_000, elapsed: .seconds(100), width: 80)
                == "█████                25 %  2,500,000 of 10,000,000 rows  25,000/s  5m0s left")
        #expect(
            DisplayWidth.of(
                ProgressText.line(
                    done: 2_500_000, of: 10_000_000, elapsed: .seconds(100), width: 60)) <= 60)
    }

    @Test func `records that retention has dropped are told, and not silently missing`() {
        let run = CommandRun.of(
            "usage export", with: Self.ledger([[Self.record(1)]], expected: 1_001))
        #expect(run.status == 0)
        #expect(
            run.complaint.hasPrefix("1,000 of 1,001 records of that time are not kept any more"))
    }

    @Test func `another organization's key is not found`() throws {
        let ledger = FakeAdminLedger()
        let away = try ledger.createOrganization("acme")
        let team = try ledger.createTeam("x", in: away)
        let order = KeyOrder(name: "ci", expiresAt: nil, models: nil, streamsUsage: false)
        let key = try ledger.mintKey(order, for: team, in: away).key
        #expect(CommandRun.of("usage export --key \(key.id)", with: ledger).status == 1)
        #expect(CommandRun.of("usage export --team x", with: ledger).status == 1)
        #expect(ledger.change { $0.exports }.isEmpty)
    }

    @Test func `a watch shows the report again, with what was used meanwhile, until it is ended`() {
        func row(_ tokens: Int128) -> [UsageRow] {
            var sums = UsageSums()
            sums.requests = tokens / 100
            sums.promptTokens = tokens
            return [UsageRow(group: .model("tiny"), sums: sums)]
        }
        let ledger = FakeAdminLedger()
        ledger.change {
            $0.nextUsage = [row(100), row(400), row(100)]
            $0.secondsPerLook = 2
        }
        let run = CommandRun.of(
            arguments: ["usage", "--by", "model", "--watch"], with: ledger, frames: 3)
        #expect(run.pauses == [.seconds(2), .seconds(2), .seconds(2)])
        let headings = run.lines.filter { $0.hasPrefix("2026-") }
        #expect(
            headings == [
                "2026-11-21T08:09:00Z, every 2 s",
                "2026-11-21T08:09:02Z, every 2 s: 1.5 requests/s, 150 tokens/s",
                "2026-11-21T08:09:04Z, every 2 s",
            ])
        #expect(!run.output.contains("\u{1B}"))
        let live = CommandRun.of(
            arguments: ["usage", "--watch", "--every", "5"], with: ledger, isTerminal: true)
        #expect(live.output.hasPrefix("\u{1B}[H") && live.output.hasSuffix("\u{1B}[J"))
        #expect(live.pauses == [.seconds(5)])
        #expect(CommandRun.of("usage --watch --format json", with: ledger).status == 2)
        #expect(CommandRun.of("usage --watch --every 0", with: ledger).status == 2)
    }
}
