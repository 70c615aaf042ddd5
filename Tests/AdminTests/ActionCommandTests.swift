import Domain
import Foundation
import Ledger
import Testing

@testable import Admin

/// The record of actions as people and programs read it.
@Suite struct `Action commands` {
    private static func action(
        _ number: UInt64, _ name: String, by author: ActionAuthor, of subject: ActionSubject,
        in organization: String? = "default", before: ActionState? = nil, after: ActionState? = nil
    ) -> ActionRecord {
        ActionRecord(
            id: ActionID(shard: Shard(rawValue: 229), random: number),
            at: FakeAdminLedger.now + .seconds(-60 * Int64(number)), author: author, action: name,
            subject: subject, organization: organization, before: before, after: after)
    }

    private func ledger() -> FakeAdminLedger {
        let ann = ActionAuthor(way: .command, name: "ann@desk.example.com")
        let key = ActionSubject(kind: .key, id: 77, name: "deploy of the nightly evaluation")
        func terms(_ models: [String], _ clamps: Bool) -> ActionState {
            ActionState([
                ("name", .text(key.name)), ("team", .text("research")), ("state", .text("active")),
                ("models", .names(models)), ("default_completion_tokens", .number(20_000)),
                ("clamps", .flag(clamps)),
            ])
        }
        let ledger = FakeAdminLedger()
        ledger.change { state in
            state.actions = [
                Self.action(
                    1, "key.update", by: ann, of: key, in: "acme",
                    before: terms(["tiny"], false),
                    after: terms((1...12).map { "model-\($0)" }, true)),
                Self.action(
                    2, "organization.create",
                    by: ActionAuthor(way: .api, name: "3kTMd92Zx0q provisioning"),
                    of: ActionSubject(kind: .organization, id: 5, name: "acme"), in: "acme",
                    after: ActionState([("name", .text("acme")), ("state", .text("active"))])),
                Self.action(
                    3, "price.clear", by: ActionAuthor(way: .gateway, name: "gateway a"),
                    of: ActionSubject(kind: .model, id: nil, name: "gpt-4o"), in: nil,
                    before: ActionState([("terms", .text("usual"))])),
            ]
        }
        return ledger
    }

    @Test func `lists and differences fit a terminal`() throws {
        let ledger = ledger()
        var text = ""
        for line in ["list", "list --limit 1"]
            + (UInt64(1)...3).map({ "show \(ActionID(shard: Shard(rawValue: 229), random: $0))" })
        {
            let run = CommandRun.of("action \(line)", with: ledger)
            #expect(run.status == 0 && run.lines.allSatisfy { DisplayWidth.of($0) <= 80 })
            text += "$ \(line)\n\(run.output)\n"
        }
        text += CommandRun.of("action list --format json", with: ledger).output
        text += CommandRun.of("action list --format csv", with: ledger).output
            .replacing("\r\n", with: "\n")
        try Golden.check(text, is: "actions")
    }

    @Test func `what is asked for is asked of the ledger`() throws {
        let ledger = ledger()
        let line = "action list --since 24h --author ann --action key.revoke --limit 7"
        #expect(CommandRun.of(line, with: ledger).status == 0)
        let query = try #require(ledger.change { $0.actionQueries.last })
        #expect(query.organization == nil && query.author == "ann" && query.limit == 7)
        #expect(query.action == .keyRevoke)
        #expect(query.since == FakeAdminLedger.now + .seconds(-86_400))
        #expect(CommandRun.of("action list --team research", with: ledger).status == 0)
        #expect(ledger.change { $0.actionQueries.last?.organization } == .default)
    }

    @Test func `what is not there is told, and what is no action refused with what there is`() {
        let ledger = ledger()
        for (line, status, text) in [
            ("action show 00000000000", Int32(1), "There is no action \"00000000000\"."),
            ("action list --before 00000000000", 1, "There is no action"),
            ("action list --organization nobody", 1, "There is no organization"),
            ("action list --action key.eat", 2, "key.revoke"),
            ("action show x", 2, "11 letters and digits"),
            ("action list --limit 0", 2, "1 to 1000"),
        ] {
            let run = CommandRun.of(line, with: ledger)
            #expect(run.status == status && run.complaint.contains(text), "\(run.complaint)")
        }
        #expect(
            CommandRun.of("action list", with: FakeAdminLedger()).output
                == "No actions that match.\n")
    }

    @Test func `behind sudo the account that called it is the author`() {
        func name(_ account: String, _ environment: [String: String]) -> String {
            CommandAuthor.author(account: account, host: "desk", environment: environment).name
        }
        #expect(name("ann", [:]) == "ann@desk")
        #expect(name("root", ["SUDO_USER": "ann"]) == "ann@desk")
        #expect(name("root", [:]) == "root@desk" && name("root", ["SUDO_USER": ""]) == "root@desk")
        // Whoever is not root does not name himself.
        #expect(name("eve", ["SUDO_USER": "ann"]) == "eve@desk")
        #expect(name("", [:]) == "somebody@desk")
        #expect(name("a\u{1B}[2J", [:]) == "a\u{FFFD}[2J@desk")
    }
}
