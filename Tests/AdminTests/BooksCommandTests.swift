import Domain
import Testing

@testable import Admin
@testable import Ledger

/// `audit`, `explain`, `statement` and `retention` on a ledger in memory.
@Suite struct `Commands on the books` {
    private static let finding = AuditFinding(
        weight: .difference, rule: "granted = used + leases", table: "account",
        shard: OrganizationID.default.shard, row: "account_id=1", found: "granted 12",
        expected: "granted 11")

    @Test func `books that add up end with 0, and a difference with 4 and its row`() {
        let ledger = FakeAdminLedger()
        let clean = CommandRun.of("audit", with: ledger)
        #expect(clean.status == 0)
        #expect(clean.lines.last == "Everything adds up.")
        ledger.change { $0.audit.findings = [Self.finding] }
        let table = CommandRun.of("audit --complete", with: ledger)
        #expect(table.status == 4)
        #expect(table.output.contains("account shard=229 account_id=1"))
        #expect(!table.output.contains("Everything adds up."))
        #expect(table.complaint.contains("The books differ in 1 row."))
        let json = CommandRun.of("audit --format json", with: ledger)
        #expect(json.status == 4)
        #expect(json.output.contains(#""row": "account_id=1""#))
        let csv = CommandRun.of("audit --format csv", with: ledger)
        #expect(csv.output.hasPrefix("weight,rule,table,shard,row,found,expected\r\n"))
    }

    @Test func `a warning alone ends with 0`() {
        let ledger = FakeAdminLedger()
        ledger.change {
            $0.audit.findings = [
                AuditFinding(
                    weight: .warning, rule: "overage = 0", table: "usage",
                    shard: OrganizationID.default.shard, row: "day=2026-11-20", found: "overage 3",
                    expected: "overage 0")
            ]
        }
        let run = CommandRun.of("audit", with: ledger)
        #expect(run.status == 0 && run.output.contains("Warning: overage = 0"))
    }

    @Test func `a request id is read in each form that clients see`() {
        let bare = "019a9f3e-7c41-7cc2-b3a4-2f0d8a1b9c55"
        let id = RequestID(bare)
        #expect(id != nil)
        for text in [bare, "req_\(bare)", "chatcmpl-019a9f3e7c417cc2b3a42f0d8a1b9c55"] {
            #expect(ExplainCommand.read(text) == id)
        }
        for text in ["", "req_", "chatcmpl-+19a9f3e7c417cc2b3a42f0d8a1b9c55", "chatcmpl-01", "x"] {
            #expect(ExplainCommand.read(text) == nil)
        }
        #expect(CommandRun.of("explain nonsense", with: FakeAdminLedger()).status == 2)
    }

    private static func story(_ state: RequestStory.State) -> RequestStory {
        RequestStory(
            id: RequestID(at: FakeAdminLedger.now, random: (1, 2)), state: state,
            key: KeyID(rawValue: 7), keyName: "ci", team: "research", model: "tiny",
            backend: "local",
            prices: RequestStory.Prices(
                version: 5,
                price: Price(
                    version: 5, prompt: NanoUSD(rawValue: 2_000_000_000),
                    cached: NanoUSD(rawValue: 1_000_000_000),
                    cacheWrite: NanoUSD(rawValue: 2_500_000_000),
                    completion: NanoUSD(rawValue: 8_000_000_000))), node: 7,
            admittedAt: FakeAdminLedger.now,
            shares: [
                RequestStory.Share(
                    account: 1,
                    quota: AccountKey(
                        subject: Subject(kind: .team, id: 11), resource: .tokens, period: .day,
                        start: FakeAdminLedger.now.day), subjectName: "research", model: "tiny",
                    amount: 16,
                    correction: 0, correctedAt: nil)
            ])
    }

    @Test(arguments: UsageBasis.allCases, EndState.allCases)
    func `a story fits 80 columns and says how the request was counted and how it ended`(
        basis: UsageBasis, endState: EndState
    ) {
        let ledger = FakeAdminLedger()
        let outcome = RequestStory.Outcome(
            usage: TokenUsage(prompt: 10, cached: 4, completion: 6), charged: 16, overage: 0,
            cost: NanoUSD(rawValue: 68_000), basis: basis, endState: endState,
            settledAt: FakeAdminLedger.now, timeToFirstToken: .microseconds(1005),
            duration: .seconds(2))
        ledger.change { $0.story = .story(Self.story(.settled(outcome))) }
        let id = "019a9f3e-7c41-7cc2-b3a4-2f0d8a1b9c55"
        let table = CommandRun.of("explain \(id)", with: ledger)
        #expect(table.status == 0)
        #expect(table.lines.allSatisfy { $0.count <= 80 })
        #expect(table.output.contains(ExplainView.words(basis).prefix(8)))
        #expect(table.output.contains("1.005 ms"))
        #expect(table.output.contains("team \"research\", tokens of \"tiny\" in the day from"))
        let json = CommandRun.of("explain \(id) --format json", with: ledger).output
        #expect(json.contains("\"basis\": \"\(ExplainView.name(basis))\""))
        #expect(json.contains("\"end_state\": \"\(endState.name)\""))
    }

    @Test func `an open request shows its bound, and one that is not there ends with 1`() {
        let ledger = FakeAdminLedger()
        let id = "019a9f3e-7c41-7cc2-b3a4-2f0d8a1b9c55"
        let missing = CommandRun.of("explain \(id)", with: ledger)
        #expect(missing.status == 1)
        #expect(missing.complaint.contains("There is no request \"req_\(id)\""))
        let bound = RequestStory.Bound(prompt: 60, completion: 40, cost: NanoUSD(rawValue: 500))
        ledger.change { $0.story = .story(Self.story(.open(bound, isFenced: true))) }
        let open = CommandRun.of("explain \(id)", with: ledger)
        #expect(open.output.contains("prompt 60, completion 40"))
        #expect(open.output.contains("a sweep will charge its bound"))
    }

    @Test func `a statement is of a full minute unless an instant is given, never of the future`()
        throws
    {
        let ledger = FakeAdminLedger()
        ledger.change { state in
            state.statement = Statement(
                lines: [
                    Statement.Line(
                        account: AccountKey(
                            subject: Subject(kind: .organization, id: 1), resource: .cost,
                            period: .month, start: FakeAdminLedger.now.day.firstOfMonth),
                        limit: 5_000_000_000, charged: 1_500_000_000, corrected: -500_000_000)
                ], usage: UsageSums())
        }
        let run = CommandRun.of("statement --organization default", with: ledger)
        #expect(run.status == 0, "\(run.complaint)")
        #expect(run.lines.allSatisfy { $0.count <= 80 })
        #expect(run.output.contains("$1.00") && run.output.contains("$4.00"))
        let asked = ledger.change { $0.statements }
        #expect(asked.map(\.at) == [FakeAdminLedger.now + .seconds(-60)])
        #expect(asked.map(\.since) == [FakeAdminLedger.now.day.firstOfMonth.start])
        let future = CommandRun.of(
            "statement --organization default --at 2027-01-01", with: ledger)
        #expect(future.status == 2 && future.complaint.contains("in the future"))
        let json = "statement --organization default --at 2026-11-20 --format json"
        #expect(
            CommandRun.of(json, with: ledger).output == CommandRun.of(json, with: ledger).output)
    }

    @Test func `retention asks first, and says why it stopped`() {
        let ledger = FakeAdminLedger()
        let day = FakeAdminLedger.now.day
        #expect(CommandRun.of("retention --keep-days 1", with: ledger).status == 2)
        #expect(CommandRun.of("retention --keep-days 36526", with: ledger).status == 2)
        #expect(
            CommandRun.of("retention --keep-days 90", with: ledger).output
                == "Nothing was dropped.\n")
        ledger.change { state in
            state.due = [day]
            state.retention.dropped = [RetentionReport.Dropped(day: day, records: 1200)]
        }
        #expect(CommandRun.of("retention --keep-days 90", with: ledger).status == 2)
        #expect(CommandRun.of("retention --keep-days 90", with: ledger, answer: "n").status == 1)
        #expect(ledger.change { $0.drops } == 0)
        let run = CommandRun.of("retention --keep-days 90 --yes", with: ledger)
        #expect(run.output == "Dropped 2026-11-21: 1,200 records sealed.\n")
        ledger.change { $0.retention.obstacle = .openRequests(day, count: 2) }
        #expect(CommandRun.of("retention --keep-days 90 --yes", with: ledger).status == 1)
        ledger.change { $0.retention.obstacle = .differences([Self.finding]) }
        let refused = CommandRun.of("retention --keep-days 90 --yes", with: ledger)
        #expect(refused.status == 4 && refused.output.contains("account_id=1"))
    }
}
