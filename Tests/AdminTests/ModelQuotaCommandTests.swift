import Domain
import Ledger
import TestSupport
import Testing

@testable import Admin

/// Quotas of one model: set, shown, checked, replayed and cleared.
@Suite struct ModelQuotaCommandTests {
    private let ledger: FakeAdminLedger
    private let key: KeyEntry

    init() throws {
        let ledger = FakeAdminLedger()
        ledger.change { $0.models = ["gpt-4o", "tiny"] }
        for line in [
            "team create research", "key create --team research --name ci",
            "quota set --team research --tokens 1000/day --requests 60/minute",
            "quota set --team research --model gpt-4o --tokens 300/day --concurrent 2",
        ] {
            #expect(CommandRun.of(line, with: ledger).status == 0, "\(line)")
        }
        self.ledger = ledger
        let owner = try #require(try ledger.findOrganization("default"))
        key = try #require(try ledger.keys(in: owner, of: nil).first)
    }

    @Test func `quota show has a column of models where a limit is of one`() {
        let run = CommandRun.of("quota show --team research", with: ledger)
        #expect(run.lines.allSatisfy { $0.count <= 80 })
        #expect(run.lines.first?.hasPrefix("Of             Model ") == true, "\(run.output)")
        let csv = CommandRun.of("quota show --team research --format csv", with: ledger).output
        let rows = csv.split(whereSeparator: \.isNewline)
        #expect(rows.first?.hasSuffix(",outage,model,soft") == true)
        #expect(rows.filter { $0.hasSuffix(",gpt-4o,false") }.count == 1, "\(rows)")
        #expect(rows.filter { $0.hasSuffix(",gpt-4o,") }.count == 1, "\(rows)")
        #expect(rows.filter { $0.hasSuffix(",,false") || $0.hasSuffix(",,") }.count == 2)
    }

    @Test func `a model that nobody serves is refused, unless it is to come later`() {
        let line = "quota set --team research --model gpt-5 --tokens 5/day"
        let run = CommandRun.of(line, with: ledger)
        #expect(run.status == 1)
        #expect(run.complaint.contains("gpt-5") && run.complaint.contains("--yes"))
        #expect(
            !CommandRun.of("quota show --team research", with: ledger).output.contains("gpt-5"))
        #expect(CommandRun.of(line + " --yes", with: ledger).status == 0)
        #expect(CommandRun.of("quota show --team research", with: ledger).output.contains("gpt-5"))
    }

    @Test func `quota check asks the model's limits only for that model`() {
        let check = "quota check --key \(key.id) --tokens 301"
        let any = CommandRun.of(check, with: ledger)
        #expect(any.status == 0)
        #expect(
            any.output.hasSuffix(
                "The request would pass.\nNot checked: what is set for single models (gpt-4o); "
                    + "name one with --model.\n"), "\(any.output)")
        #expect(CommandRun.of(check + " --model tiny", with: ledger).status == 0)
        let blocked = CommandRun.of(check + " --model gpt-4o", with: ledger)
        #expect(blocked.status == 1)
        #expect(
            blocked.complaint.contains(
                "tokens/day for model \"gpt-4o\" of team \"research\" has 300 left and it needs 301"
            ),
            "\(blocked.complaint)")
        let mistyped = CommandRun.of(check + " --model gtp-4o", with: ledger)
        #expect(mistyped.status == 1 && mistyped.complaint.contains("gtp-4o"))
    }

    @Test func `quota clear takes away the model's limit and leaves that over all`() {
        let clear = CommandRun.of(
            "quota clear --team research --model gpt-4o --tokens day", with: ledger)
        #expect(clear.status == 0)
        #expect(clear.output.contains("concurrent requests") && clear.output.contains("1,000"))
        #expect(!clear.output.contains("300"))
        let again = CommandRun.of(
            "quota clear --team research --model gpt-4o --tokens day", with: ledger)
        #expect(again.status == 1)
        #expect(
            again.complaint.contains("There is no tokens/day for model \"gpt-4o\" limit"),
            "\(again.complaint)")
    }

    @Test func `quota clear --all with a model leaves what is over all models`() {
        let some = CommandRun.of(
            "quota clear --team research --model gpt-4o --all --yes", with: ledger)
        #expect(some.status == 0 && !some.output.contains("Model"))
        #expect(some.output.contains("tokens/day") && some.output.contains("requests/minute"))
    }

    @Test func `quota clear --all clears both`() {
        let all = CommandRun.of("quota clear --team research --all --yes", with: ledger)
        #expect(all.status == 0 && all.output == "Nothing limits team \"research\" itself.\n")
    }

    @Test func `quota replay takes the requests of one model`() throws {
        let run = CommandRun.of(
            "quota replay --team research --model tiny --tokens 5/day", with: ledger)
        #expect(run.output.contains("had no request for model \"tiny\" in that time"))
        let query = try #require(ledger.change { $0.chargeQueries.last })
        #expect(query.model == "tiny")
        let unknown = CommandRun.of(
            "quota replay --team research --model gpt-5 --tokens 5/day", with: ledger)
        #expect(unknown.status == 1 && unknown.complaint.contains("gpt-5"))
    }
}
