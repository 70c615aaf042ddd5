import Domain
import Foundation
import Ledger
import Testing

@testable import Admin

/// Quotas that only warn, as administrators set, see and try them.
@Suite struct SoftQuotaCommandTests {
    private let ledger = FakeAdminLedger()
    private let key: KeyEntry

    init() throws {
        for line in ["team create research", "key create --team research --name ci"] {
            #expect(CommandRun.of(line, with: ledger).status == 0)
        }
        let owner = try #require(try ledger.findOrganization("default"))
        key = try #require(try ledger.keys(in: owner, of: nil).first)
    }

    @Test func `a quota is soft when told so, and until it is told otherwise`() {
        let run = CommandRun.of(
            "quota set --team research --tokens 5/day --requests 6/day --soft", with: ledger)
        #expect(
            run.output == """
                Quota                Limit  Used  Reserved  Left  Resets      Outage
                tokens/day (soft)        5     0         0     5  2026-11-22  ride
                requests/day (soft)      6     0         0     6  2026-11-22  ride

                """, "\(run.output)")
        func softs(_ set: String) -> [Bool?] {
            #expect(CommandRun.of("quota set --team research \(set)", with: ledger).status == 0)
            let json = CommandRun.of("quota show --team research --format json", with: ledger)
            let rows = try? JSONSerialization.jsonObject(with: Data(json.output.utf8))
            return (rows as? [[String: Any]] ?? []).map { $0["soft"] as? Bool }
        }
        #expect(softs("--tokens 7/day") == [true, true])
        let zero = CommandRun.of("quota set --team research --tokens 0/day", with: ledger)
        #expect(zero.status == 1 && zero.complaint.contains("Add --hard to stop"))
        #expect(
            softs("--requests 7/day --hard").sorted { $0 == true && $1 != true } == [true, false])
        #expect(softs("--concurrent 3").filter { $0 == nil }.count == 1)
    }

    @Test func `quota check says that it would warn, and that the request passes`() throws {
        let set = "quota set --key \(key.id) --tokens 1000/day --soft"
        #expect(CommandRun.of(set, with: ledger).status == 0)
        let calm = CommandRun.of("quota check --key \(key.id) --tokens 799", with: ledger)
        #expect(calm.status == 0 && !calm.output.contains("warn"), "\(calm.output)")
        let run = CommandRun.of("quota check --key \(key.id) --tokens 5000", with: ledger)
        #expect(run.status == 0)
        #expect(
            run.output == """
                Of       Quota               Left  Needs  Passes      Resets
                the key  tokens/day (soft)  1,000  5,000  would warn  2026-11-22
                The request would pass.
                Tokens/day of key \(key.id) would warn: 500% used.

                """, "\(run.output)")
        let rows = CommandRun.of(
            "quota check --key \(key.id) --tokens 800 --format csv", with: ledger)
        #expect(rows.output.contains(",true,2026-11-22T00:00:00Z,,true,true\r\n"), "\(rows.output)")
        // A hard one beside it blocks as ever.
        #expect(
            CommandRun.of("quota set --team research --tokens 10/day", with: ledger).status == 0)
        let both = CommandRun.of("quota check --key \(key.id) --tokens 5000", with: ledger)
        #expect(both.status == 1 && both.complaint.contains("has 10 left and it needs 5,000"))
        #expect(!both.complaint.contains("warn"))
    }

    @Test func `quota replay tells when it would have warned`() {
        let day = CalendarDay(year: 2026, month: 11, day: 20)
        ledger.change { state in
            state.charges = [(600, day.start), (500, day.start + .seconds(3_600))].map {
                (charge: Int64($0.0), admitted: $0.1)
            }
            state.charges.append((charge: 790, admitted: day.next.start))
        }
        let line = "quota replay --team research --since 7d --tokens 1k/day --soft"
        let run = CommandRun.of(line, with: ledger)
        #expect(
            run.output == """
                Day         Served   Used  Warned at  Used up at
                2026-11-20       2  1,100  01:00      01:00
                2026-11-21       1    790

                1,000 tokens per day, soft, would have warned once and refused nothing; the most that was used is 1,100.

                """, "\(run.output)")
        let rows = CommandRun.of(line + " --format csv", with: ledger)
        #expect(
            rows.output.contains(
                "2026-11-20,tokens,day,tokens,1000,2,1100,0,0,,,true,2026-11-20T01:00:00Z,"
                    + "2026-11-20T01:00:00Z"), "\(rows.output)")
        let calm = CommandRun.of(
            "quota replay --team research --since 7d --tokens 2k/day --soft", with: ledger)
        #expect(calm.output.contains("2,000 tokens per day, soft, would not have warned;"))
    }
}
