import Domain
import Foundation
import Ledger
import TestSupport
import Testing

@testable import Admin

/// What applies to a key, whether a request would pass, and what a limit would have refused.
@Suite struct QuotaCommandTests {
    private let ledger: FakeAdminLedger
    private let key: KeyEntry
    private let team: TeamEntry
    private let owner: OrganizationEntry

    init() throws {
        ledger = FakeAdminLedger()
        for line in ["team create research", "key create --team research --name ci"] {
            #expect(CommandRun.of(line, with: ledger).status == 0)
        }
        owner = try #require(try ledger.findOrganization("default"))
        team = try #require(try ledger.findTeam("research", in: owner))
        key = try #require(try ledger.keys(in: owner, of: nil).first)
    }

    /// Gives a subject a quota of which something is used.
    private func limit(
        _ subject: Subject, _ target: AllowanceTarget, _ limit: Int64, used: Int64 = 0,
        reserved: Int64 = 0
    ) {
        let isRate = if case .rate = target { true } else { false }
        let numbers = AllowanceEntry.Numbers(
            used: used, reserved: reserved, leased: 0, left: max(0, limit - used - reserved),
            resetsAt: CalendarDay(year: 2026, month: 11, day: 22).start)
        ledger.change {
            $0.allowances[subject, default: []].append(
                AllowanceEntry(
                    target: target, limit: limit, ridesOutages: isRate ? nil : true,
                    numbers: isRate ? nil : numbers))
        }
    }

    private var keys: Subject { Subject(kind: .key, id: key.subject) }
    private var teams: Subject { Subject(kind: .team, id: team.id.rawValue) }
    private var organizations: Subject {
        Subject(kind: .organization, id: owner.id.rawValue)
    }

    private func limitEverything() {
        limit(keys, .quota(.tokens, .day), 1_000, used: 400, reserved: 100)
        limit(keys, .rate(.tokensPerMinute), 5_000)
        limit(teams, .quota(.requests, .day), 10, used: 10)
        limit(organizations, .quota(.cost, .month), 50_000_000_000, used: 1_500_000_000)
    }

    @Test func `quota show of a key tells all that applies to it`() {
        limitEverything()
        let run = CommandRun.of("quota show --key \(key.id)", with: ledger)
        #expect(
            run.output == """
                Of                    Quota           Limit   Used  Reserved    Left  Resets
                the key               tokens/day      1,000    400       100     500  2026-11-22
                the key               tokens/minute   5,000
                team research         requests/day       10     10         0       0  2026-11-22
                organization default  cost/month     $50.00  $1.50     $0.00  $48.50  2026-11-22
                Left out for width: Outage. `--format json` has everything.

                """, "\(run.output)")
        let team = CommandRun.of("quota show --team research --format csv", with: ledger)
        #expect(team.output.split(whereSeparator: \.isNewline).count == 3)
        let own = CommandRun.of("quota show --organization default", with: ledger)
        #expect(own.output.hasPrefix("Quota "))
    }

    @Test func `quota show says when only others' limits apply`() {
        limit(teams, .quota(.requests, .day), 10)
        let run = CommandRun.of("quota show --key \(key.id)", with: ledger)
        #expect(run.output.hasPrefix("Nothing limits key \(key.id) itself.\nOf "))
        let none = CommandRun.of("quota show --organization default", with: ledger)
        #expect(none.output == "Nothing limits organization \"default\".\n")
    }

    @Test func `quota check tells what blocks, and ends with status 1`() {
        limitEverything()
        let run = CommandRun.of(
            "quota check --key \(key.id) --tokens 501 --cost 2usd", with: ledger)
        #expect(run.status == 1)
        #expect(
            run.output == """
                Of                    Quota            Left  Needs  Passes       Resets
                the key               tokens/day        500    501  no           2026-11-22
                the key               tokens/minute            501  not checked
                team research         requests/day        0      1  no           2026-11-22
                organization default  cost/month     $48.50  $2.00  yes          2026-11-22

                """, "\(run.output)")
        #expect(
            run.complaint == """
                Error: The request would be refused: tokens/day of key \(key.id) has 500 left and it \
                needs 501; it resets at 2026-11-22T00:00:00Z.
                And: requests/day of team "research" has 0 left and it needs 1; it resets at \
                2026-11-22T00:00:00Z.

                """, "\(run.complaint)")
    }

    @Test func `quota check passes what fits exactly`() {
        limit(keys, .quota(.tokens, .day), 1_000, used: 400, reserved: 100)
        let run = CommandRun.of("quota check --key \(key.id) --tokens 500", with: ledger)
        #expect(run.status == 0 && run.complaint.isEmpty)
        #expect(run.output.hasSuffix("The request would pass.\n"))
        let rows = CommandRun.of(
            "quota check --key \(key.id) --tokens 500 --format csv", with: ledger)
        #expect(rows.output.contains("quota,tokens,day,tokens,1000,500,500,true,2026-11-22"))
    }

    @Test func `quota check tells a request above a whole minute, and a key that may not`() {
        limit(keys, .rate(.tokensPerMinute), 5_000)
        let large = CommandRun.of("quota check --key \(key.id) --tokens 5001", with: ledger)
        #expect(large.status == 1)
        #expect(large.complaint.contains("it needs more than tokens/minute of key"))
        #expect(
            CommandRun.of("quota check --key \(key.id) --tokens 5000", with: ledger).status == 0)
        #expect(CommandRun.of("key revoke \(key.id) --yes", with: ledger).status == 0)
        let revoked = CommandRun.of("quota check --key \(key.id) --tokens 1", with: ledger)
        #expect(revoked.status == 1 && revoked.complaint.contains("the key is revoked"))
    }

    @Test func `quota check of a key of another organization finds none`() {
        #expect(CommandRun.of("org create acme", with: ledger).status == 0)
        let run = CommandRun.of(
            "quota check --key \(key.id) --tokens 1 --organization acme", with: ledger)
        let missing = CommandRun.of(
            "quota check --key 00000000001 --tokens 1 --organization acme", with: ledger)
        #expect(run.status == 1 && missing.status == 1)
        #expect(
            run.complaint.replacing(key.id.description, with: "K")
                == missing.complaint.replacing("00000000001", with: "K"))
    }

    @Test func `quota replay tells day by day what a limit would have refused`() throws {
        let day = CalendarDay(year: 2026, month: 11, day: 20)
        ledger.change { state in
            state.charges = [(600, day.start), (500, day.start + .seconds(3_600))].map {
                (charge: Int64($0.0), admitted: $0.1)
            }
            state.charges.append((charge: 400, admitted: day.next.start))
        }
        let line = "quota replay --team research --since 7d --tokens 1k/day"
        let run = CommandRun.of(line, with: ledger)
        #expect(run.status == 0, "\(run.complaint)")
        #expect(
            run.output == """
                Day         Served  Used  Refused  First at
                2026-11-20       1   600        1  01:00     █████
                2026-11-21       1   400        0

                1,000 tokens per day would have refused 1 of 3 requests; 1,100 would have refused none.

                """, "\(run.output)")
        let query = try #require(ledger.change { $0.chargeQueries.last })
        #expect(query.subject == teams && query.resource == .tokens)
        #expect(query.since == CalendarDay(year: 2026, month: 11, day: 14).start)
        let rows = CommandRun.of(line + " --format csv", with: ledger)
        #expect(
            rows.output.hasSuffix(
                "2026-11-20,tokens,day,tokens,1000,1,600,1,500,2026-11-20T01:00:00Z,,false,,\r\n"
                    + "2026-11-21,tokens,day,tokens,1000,1,400,0,0,,,false,,\r\n"))
        let enough = CommandRun.of(
            "quota replay --team research --requests 3/month", with: ledger)
        #expect(enough.output.contains("3 requests per month would have refused"))
    }

    @Test(arguments: [
        ("quota replay --team a", "Which limit?"),
        ("quota replay --team a --tokens 5/day --cost 1usd/day", "One quota is replayed"),
        ("quota replay --team a --requests 5/minute", "One quota is replayed"),
        ("quota replay --team a --tokens 0/day --soft", "give at least 1"),
        ("quota set --team a --tokens 0/day --soft", "give at least 1, or --hard"),
        ("quota set --team a --tokens 5/day --concurrent 2 --soft", "they always refuse"),
        ("quota set --team a --requests 5/minute --hard", "they always refuse"),
        ("quota set --team a --tokens 5/day --hard --soft", "--soft"),
        ("quota check --key 00000000001 --tokens 0", "give a whole number"),
        ("quota check --key 00000000001 --tokens 1 --cost 3", "such as 0.25usd"),
    ]) func `what cannot be meant is told`(_ line: String, _ words: String) {
        let run = CommandRun.of(line, with: ledger)
        #expect(run.status == 2)
        #expect(run.complaint.contains(words), "\(run.complaint)")
    }
}
