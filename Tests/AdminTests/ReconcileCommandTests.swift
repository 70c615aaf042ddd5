import Domain
import Foundation
import Testing

@testable import Admin
@testable import Ledger

/// `admin reconcile` on a ledger in memory.
@Suite struct `Comparing a provider's export` {
    /// An export in a file of its own.
    private final class Export: Sendable {
        let path: String

        init(_ text: String) throws {
            path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
            try Data(text.utf8).write(to: URL(filePath: path))
        }

        deinit {
            // A file left in the temporary directory harms nobody.
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    private static func day(_ number: Int) -> Timestamp {
        CalendarDay(year: 2026, month: 11, day: number).start
    }

    private static func sums(
        _ requests: Int128, _ prompt: Int128, cached: Int128 = 0,
        _ completion: Int128
    ) -> BackendUsage.Sums {
        var sums = BackendUsage.Sums()
        sums.requests = requests
        sums.promptTokens = prompt
        sums.cachedTokens = cached
        sums.completionTokens = completion
        return sums
    }

    /// A ledger that agrees with the suite's OpenAI export.
    private static func agreeing() -> FakeAdminLedger {
        let ledger = FakeAdminLedger()
        ledger.change {
            $0.backends = [
                BackendEntry(
                    name: "openai", kind: "openai",
                    upstreamModels: ["big": "gpt-4o", "large": "gpt-4o"]),
                BackendEntry(name: "claude", kind: "anthropic", upstreamModels: [:]),
            ]
            $0.backendUsage.sums = [
                .init(start: day(6), model: "big", backend: "openai"): sums(
                    2, 700, cached: 400, 30),
                .init(start: day(6), model: "large", backend: "openai"): sums(1, 300, 20),
                .init(start: day(8), model: "big", backend: "openai"): sums(1, 10, 5),
            ]
        }
        return ledger
    }

    @Test func `an export that agrees ends with 0 and says what was compared with what`() throws {
        let export = try Export(`Usage exports`.openAICSV)
        let ledger = Self.agreeing()
        let run = CommandRun.of("reconcile \(export.path)", with: ledger)
        #expect(run.status == 0, "\(run.output)\(run.complaint)")
        #expect(
            run.output == """
                Compared OpenAI's usage export with what the ledger has of backend openai,
                2026-11-06 to 2026-11-09 in UTC, by day and model.
                The export's "gpt-4o-2024-08-06" is compared with "gpt-4o".

                Total        Here  There  Difference  State
                requests        4      4           0  matched
                prompt      1,010  1,010           0  matched
                cached        400    400           0  matched
                completion     55     55           0  matched

                2 rows read. 7 matched.

                """)
        #expect(
            ledger.change { $0.backendQueries } == [
                BackendUsageQuery(
                    backends: ["openai"], since: Self.day(6), until: Self.day(9), step: .day)
            ])
    }

    @Test func `what is missing on a side and what differs end with 4, each in its place`() throws {
        let export = try Export(`Usage exports`.openAICSV)
        let ledger = Self.agreeing()
        ledger.change {
            $0.backendUsage.sums[.init(start: Self.day(8), model: "big", backend: "openai")] = nil
            $0.backendUsage.sums[.init(start: Self.day(7), model: "gone", backend: "openai")] =
                Self.sums(1, 40, 2)
            $0.backendUsage.sums[.init(start: Self.day(6), model: "large", backend: "openai")]?
                .completionTokens += 1
        }
        let table = CommandRun.of("reconcile \(export.path)", with: ledger)
        #expect(table.status == 4)
        #expect(table.complaint.hasPrefix("Error: 7 amounts differ.\n"))
        #expect(table.lines.allSatisfy { DisplayWidth.of($0) <= 80 })
        let shown = table.lines.filter { $0.hasPrefix("2026-") }.map { line in
            line.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
        }
        #expect(
            shown.suffix(7)
                == [
                    "2026-11-06 gpt-4o completion 51 50 1 different",
                    "2026-11-07 gone requests 1 0 1 missing there",
                    "2026-11-07 gone prompt 40 0 40 missing there",
                    "2026-11-07 gone completion 2 0 2 missing there",
                    "2026-11-08 gpt-4o-2024-08-06 requests 0 1 -1 missing here",
                    "2026-11-08 gpt-4o-2024-08-06 prompt 0 10 -10 missing here",
                    "2026-11-08 gpt-4o-2024-08-06 completion 0 5 -5 missing here",
                ].map { $0.replacing("gpt-4o-2024-08-06", with: "gpt-4o") })
        let json = CommandRun.of("reconcile \(export.path) --format json", with: ledger)
        #expect(json.status == 4)
        let rows =
            try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [[String: Any]] ?? []
        #expect(rows.map { $0["state"] as? String ?? "" }.filter { $0 != "matched" }.count == 9)
        #expect(rows.filter { $0["time"] is NSNull }.count == 4)
        #expect(
            Set(rows.first.map(\.keys).map(Array.init) ?? []) == Set(ReconcileView.names))
    }

    @Test func `within the tolerance it matches, as a number and as a share`() throws {
        let export = try Export(`Usage exports`.openAICSV)
        let ledger = Self.agreeing()
        ledger.change {
            $0.backendUsage.sums[.init(start: Self.day(6), model: "large", backend: "openai")]?
                .promptTokens += 5
        }
        #expect(CommandRun.of("reconcile \(export.path)", with: ledger).status == 4)
        for (tolerance, status) in [
            ("5", 0), ("4", 4), ("0.5%", 0), ("0.49%", 4), ("-1", 2), ("1.5", 2), ("101%", 2),
        ] {
            let run = CommandRun.of(
                arguments: ["reconcile", export.path, "--tolerance=\(tolerance)"], with: ledger)
            #expect(run.status == Int32(status), "\(tolerance): \(run.complaint)")
        }
    }

    @Test func `a tolerance in requests or tokens is none for costs, a share is`() {
        #expect(Tolerance.amount(5).allows(.prompt, 10, 15))
        #expect(Tolerance.amount(5).allows(.requests, 15, 10))
        #expect(!Tolerance.amount(5).allows(.cost, 10, 11))
        #expect(Tolerance.amount(5).allows(.cost, 10, 10))
        #expect(Tolerance.millionths(100_000).allows(.cost, 10, 9))
        #expect(!Tolerance.millionths(100_000).allows(.cost, 10, 8))
    }

    @Test func `what the export has of other days than those asked for is left out`() throws {
        let export = try Export(`Usage exports`.openAICSV)
        let ledger = Self.agreeing()
        ledger.change {
            $0.backendUsage.sums = $0.backendUsage.sums.filter { $0.key.start == Self.day(8) }
        }
        #expect(CommandRun.of("reconcile \(export.path)", with: ledger).status == 4)
        let run = CommandRun.of("reconcile \(export.path) --since 2026-11-08", with: ledger)
        #expect(run.status == 0, "\(run.output)")
        let asked = ledger.change { $0.backendQueries.last }
        #expect(asked?.since == Self.day(8) && asked?.until == Self.day(9))
    }

    @Test func `a column that makes a group of each row cannot fill the memory`() throws {
        var tally = ExportTally(step: .day)
        let time = ExportTime(start: Self.day(6), end: Self.day(7))
        for number in 0..<ExportTally.mostGroups {
            try tally.add([.requests: 1], model: "m\(number)", at: time)
        }
        try tally.add([.requests: 1], model: "m0", at: time)
        let failure = #expect(throws: AdminFailure.self) {
            try tally.add([.requests: 1], model: "one more", at: time)
        }
        #expect(failure?.message.contains("200000") == true)
    }

    @Test func `a bad row ends with 4 and is named, though everything else matches`() throws {
        let export = try Export(
            `Usage exports`.openAICSV + "1794096000,1794182400,,,,1,,,gpt-4o,,,x,1,1,1\n")
        let run = CommandRun.of("reconcile \(export.path)", with: Self.agreeing())
        #expect(run.status == 4)
        #expect(run.complaint.contains("Line 5: input_tokens is \"x\", not a whole number.\n"))
        #expect(run.complaint.contains("1 row could not be read."))
    }

    @Test func `the backend is the only one of its kind, or must be named`() throws {
        let export = try Export(`Usage exports`.openAICSV)
        let ledger = Self.agreeing()
        ledger.change {
            $0.backends.append(BackendEntry(name: "spare", kind: "openai", upstreamModels: [:]))
        }
        let unclear = CommandRun.of("reconcile \(export.path)", with: ledger)
        #expect(unclear.status == 2)
        #expect(unclear.complaint.contains("with --backend: openai, spare."))
        let both = CommandRun.of(
            "reconcile \(export.path) --backend openai --backend spare", with: ledger)
        #expect(both.status == 0 && both.output.contains("backends openai,"))
        ledger.change { $0.backends = [] }
        let none = CommandRun.of("reconcile \(export.path)", with: ledger)
        #expect(none.status == 2 && none.complaint.contains("no backend of kind openai"))
        #expect(
            CommandRun.of("reconcile \(export.path) --backend openai", with: ledger).status == 4)
    }

    @Test func `names are matched by family unless two fit, and as the administrator says`() {
        let names = ModelNames(
            ours: ["gpt-4o", "claude-haiku-4-5-20251001", "a-2024-01-01", "a-2024-02-02"],
            renames: ["x": "gpt-4o"])
        #expect(names.ours("gpt-4o-2024-08-06") == "gpt-4o")
        #expect(names.ours("Claude Haiku 4.5") == "claude-haiku-4-5-20251001")
        #expect(names.ours("a-2024-02-02") == "a-2024-02-02")
        #expect(names.ours("a-2024-03-03") == "a-2024-03-03")
        #expect(names.ours("gpt-4o-mini") == "gpt-4o-mini")
        #expect(names.ours("x") == "gpt-4o")
    }

    @Test func `what the comparison cannot know is told`() throws {
        let export = try Export(
            """
            {"data":[{"start_time":1793923200,"end_time":1794009600,"results":[
            {"input_tokens":10,"output_tokens":5,"num_model_requests":1,"model":null}]}],
            "has_more":true}
            """)
        let ledger = Self.agreeing()
        ledger.change {
            $0.backendUsage = BackendUsage()
            $0.backendUsage.sums = [
                .init(start: Self.day(6), model: "big", backend: "openai"): Self.sums(1, 4, 3),
                .init(start: Self.day(6), model: "other", backend: "openai"): Self.sums(0, 6, 2),
            ]
            $0.backendUsage.sums[.init(start: Self.day(6), model: "big", backend: "openai")]?
                .estimatedTokens = 7
            $0.backendUsage.openRequests = 2
        }
        let run = CommandRun.of("reconcile \(export.path)", with: ledger)
        #expect(run.status == 0, "\(run.output)")
        for note in [
            "does not tell models apart", "says that more follow", "2 requests of this time",
            "7 tokens here were counted by the gateway",
        ] { #expect(run.output.contains(note), "\(run.output)") }
        ledger.change { $0.backendUsage.droppedDays = [CalendarDay(year: 2026, month: 11, day: 6)] }
        let dropped = CommandRun.of("reconcile \(export.path)", with: ledger)
        #expect(dropped.status == 1 && dropped.complaint.contains("--since 2026-11-07"))
        #expect(CommandRun.of("reconcile /nowhere/file.csv", with: ledger).status == 1)
    }
}
