import Domain
import Foundation
import Ledger
import Testing

@testable import Admin

@Suite struct `Commands on nodes` {
    private static func node(
        _ id: Int64, _ state: NodeStatus.State, silentFor silence: Duration, open: Int64 = 0,
        leases: Int64 = 0, _ leased: [Resource: Int64] = [:]
    ) -> NodeStatus {
        NodeStatus(
            node: id, shards: [OrganizationID.default.shard], state: state,
            lastBeat: FakeAdminLedger.now + (.zero - silence), silence: silence,
            openRequests: open, leases: leases, leased: leased)
    }

    private static let dead = node(
        5_577_006_791_947_779_410, .fenced, silentFor: .seconds(7200), open: 1, leases: 2,
        [.tokens: 5000, .cost: 500_000_000])

    private static func ledger() -> FakeAdminLedger {
        let ledger = FakeAdminLedger()
        ledger.change { state in
            state.nodes = [
                node(
                    8_674_665_223_082_153_551, .live, silentFor: .seconds(1), open: 12, leases: 1,
                    [.tokens: 1_234_567, .requests: 1]),
                node(77, .silent, silentFor: .seconds(40)), dead,
                node(78, .fenced, silentFor: .seconds(86_400)),
            ]
            var returned = WriteOff.Returned()
            (returned.sweptRequests, returned.leases) = (1, 2)
            returned.units = [.tokens: 5000, .cost: 500_000_000]
            state.writeOff = .done(returned)
        }
        return ledger
    }

    @Test func `nodes at work and dead ones that hold something are listed within 80 columns`()
        throws
    {
        let ledger = Self.ledger()
        let run = CommandRun.of("node list", with: ledger)
        #expect(
            run.output == """
                Node                 State   Silent since      Shards  Open  Leased
                8674665223082153551  live                           1    12  1,234,567 tokens, …
                77                   silent  2026-11-21 08:08       1     0
                5577006791947779410  fenced  2026-11-21 06:09       1     1  5,000 tokens, $0.50
                What a fenced node holds is kept for its journal: start it again on its disk,
                or, if that is lost, see `turnpike admin node write-off --help`.

                """, "\(run.output)")
        #expect(run.lines.allSatisfy { DisplayWidth.of($0) <= 80 })
        #expect(CommandRun.of("node list --all", with: ledger).output.contains("\n78 "))
        let json = CommandRun.of("node list --format json", with: ledger).output
        let rows = try #require(
            try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]])
        #expect(rows.count == 3 && rows.allSatisfy { Set($0.keys) == Set(NodeView.names) })
        #expect(rows.last?["node_id"] as? String == "5577006791947779410")
        #expect(rows.last?["leased_cost_nanousd"] as? Int == 500_000_000)
        #expect(rows.last?["silent_seconds"] as? Int == 7200)
        #expect(
            CommandRun.of("node list", with: FakeAdminLedger()).output
                == "No nodes at work; --all shows those that are gone.\n")
    }

    @Test func `a write-off asks first, and says what came back`() {
        let ledger = Self.ledger()
        let line = "node write-off \(Self.dead.node)"
        #expect(CommandRun.of(line, with: ledger).status == 2)
        let declined = CommandRun.of(line, with: ledger, answer: "n")
        #expect(declined.status == 1)
        #expect(
            declined.complaint.contains(
                "2 leases with 5,000 tokens, $0.50 will go back to the accounts. 1 open request"
                    + " will be charged at the bound. Requests that only its journal knows will"
                    + " never be charged. [y/N]"), "\(declined.complaint)")
        #expect(ledger.change { $0.writtenOff } == [])
        let run = CommandRun.of(line + " --yes", with: ledger)
        #expect(
            run.output == """
                Node 5577006791947779410 is written off. Given back: 2 leases with 5,000 tokens,
                $0.50. 1 open request charged at the bound.

                """, "\(run.output)")
        #expect(ledger.change { $0.writtenOff } == [Self.dead.node])
        let json = CommandRun.of(line + " --yes --format json", with: ledger).output
        for field in [
            #""node_id": "5577006791947779410""#, #""swept_requests": 1"#, #""ended_leases": 2"#,
            #""returned_tokens": 5000"#, #""returned_requests": 0"#,
            #""returned_cost_nanousd": 500000000"#,
        ] {
            #expect(json.contains(field), "\(json)")
        }
    }

    @Test func `a node that may be at work is not written off`() {
        let ledger = Self.ledger()
        let live = CommandRun.of("node write-off 8674665223082153551 --yes", with: ledger)
        #expect(live.status == 1)
        #expect(live.complaint.contains("beat 1 second ago: it may be at work."))
        #expect(live.complaint.contains("silent for 90 seconds"))
        // Nothing is held for it, so there is nothing to refuse.
        let idle = CommandRun.of("node write-off 77", with: ledger)
        #expect(idle.output == "Nothing is held for node 77.\n")
        ledger.change { state in
            state.nodes = [Self.node(77, .fenced, silentFor: .seconds(80), leases: 1)]
        }
        #expect(CommandRun.of("node write-off 77 --yes", with: ledger).status == 1)
        #expect(ledger.change { $0.writtenOff } == [])
        // It returned while the operator was asked.
        ledger.change { state in
            state.nodes = [Self.node(77, .fenced, silentFor: .seconds(100), leases: 1)]
            state.writeOff = .mayBeAlive(silence: .seconds(2))
        }
        let back = CommandRun.of("node write-off 77", with: ledger, answer: "y")
        #expect(back.status == 1 && back.complaint.contains("beat 2 seconds ago"))
    }

    @Test func `a node that is not there ends with 1, and what is no number with 2`() {
        let ledger = Self.ledger()
        let missing = CommandRun.of("node write-off 4711 --yes", with: ledger)
        #expect(missing.status == 1)
        #expect(missing.complaint.contains("There is no node \"4711\"."))
        for text in ["x", "0", "9223372036854775808"] {
            let wrong = CommandRun.of("node write-off \(text)", with: ledger)
            #expect(wrong.status == 2)
            #expect(wrong.complaint.contains("give a node's number"), "\(wrong.complaint)")
        }
    }
}
