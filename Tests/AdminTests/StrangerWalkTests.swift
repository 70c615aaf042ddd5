import ArgumentParser
import Domain
import Foundation
import Testing

@testable import Admin

/// Every command that takes the id or the name of something, with another organization's.
@Suite struct `A stranger's every command` {
    /// Commands that name a key, a team or an action, asked for by another organization. An id of
    /// each kind stands for a word in capitals.
    private static let naming: [(command: String, line: String)] = [
        ("team show", "team show TEAM"), ("team rename", "team rename TEAM x"),
        ("team suspend", "team suspend TEAM"), ("team resume", "team resume TEAM"),
        ("team delete", "team delete TEAM --yes"),
        ("key create", "key create --team TEAM --name x"),
        ("key list", "key list --team TEAM"), ("key show", "key show KEY"),
        ("key rename", "key rename KEY x"), ("key update", "key update KEY --all-models"),
        ("key suspend", "key suspend KEY"), ("key resume", "key resume KEY"),
        ("key rotate", "key rotate KEY"), ("key rotate", "key rotate KEY --finish"),
        ("key revoke", "key revoke KEY --yes"), ("key delete", "key delete KEY --yes"),
        ("quota set", "quota set --key KEY --tokens 5/day"),
        ("quota set", "quota set --team TEAM --tokens 5/day"),
        ("quota show", "quota show --key KEY"), ("quota show", "quota show --team TEAM"),
        ("quota clear", "quota clear --key KEY --all --yes"),
        ("quota clear", "quota clear --team TEAM --all --yes"),
        ("quota check", "quota check --key KEY --tokens 5"),
        ("quota replay", "quota replay --key KEY --since 7d --tokens 5/day"),
        ("quota replay", "quota replay --team TEAM --since 7d --tokens 5/day"),
        ("usage", "usage --key KEY"), ("usage", "usage --team TEAM"),
        ("usage export", "usage export --key KEY"), ("usage export", "usage export --team TEAM"),
        ("statement", "statement --key KEY --at 2026-11-01"),
        ("statement", "statement --team TEAM --at 2026-11-01"),
        ("action list", "action list --key KEY"), ("action list", "action list --team TEAM"),
        ("action list", "action list --before ACTION"), ("action show", "action show ACTION"),
        ("event list", "event list --before EVENT"), ("event show", "event show EVENT"),
        ("event redeliver", "event redeliver EVENT"),
    ]

    /// Commands that name nothing within an organization: they name organizations themselves, or
    /// are of the whole installation. `explain` needs a request in the books, and has its own test.
    private static let others: Set<String> = [
        "org create", "org list", "org show", "org rename", "org suspend", "org resume",
        "org delete", "team create", "team list", "explain", "event test", "audit",
        "reconcile", "retention",
        "node list", "node write-off", "model list", "model show", "model price set",
        "model price clear", "model reprice", "admin-key create", "admin-key list",
        "admin-key revoke", "doctor", "completions", "manual",
    ]

    private static func leaves(
        _ command: any ParsableCommand.Type, _ path: [String] = []
    ) -> [String] {
        let inner = command.configuration.subcommands
        let below = inner.flatMap { leaves($0, path + [$0._commandName]) }
        let isLeaf = inner.isEmpty || command is any AdminSubcommand.Type
        return (isLeaf ? [path.joined(separator: " ")] : []) + below
    }

    @Test func `each command is known to name something of an organization or not`() {
        let known = Self.others.union(Self.naming.map(\.command))
        #expect(Set(Self.leaves(AdminCommand.self)) == known)
    }

    @Test func `is answered as if what it names did not exist, and changes nothing`() throws {
        let place = try Installation()
        for line in [
            "org create acme", "org create rival", "team create research --organization acme",
        ] {
            _ = try place.object(line)
        }
        let made = try place.object("key create --team research --name ci --organization acme")
        let key = try #require(made["key_id"] as? String)
        let sent = try place.array("event test --organization acme")
        let event = try #require(sent.first?["event_id"] as? String)
        let before = try place.array("action list --organization acme")
        let action = try #require(before.first?["action_id"] as? String)
        // Of the same shards as theirs, so that nothing but existence differs.
        let nobody = [
            "KEY": "00000000001", "TEAM": "nothings", "ACTION": "00000000002",
            "EVENT": "evt_00AlqZbMgwK9rWkUZt3xBc",
        ]
        let theirs = ["KEY": key, "TEAM": "research", "ACTION": action, "EVENT": event]
        for format in ["", " --format json", " --format csv"] {
            for (_, line) in Self.naming {
                func answer(_ words: [String: String]) -> [String] {
                    var text = line
                    for (word, name) in words { text = text.replacing(word, with: name) }
                    let run = place.run(text + " --organization rival" + format)
                    return [String(run.status)]
                        + [run.output, run.complaint].map { said in
                            words.reduce(said) { $0.replacing($1.value, with: $1.key) }
                        }
                }
                #expect(answer(theirs) == answer(nobody), "\(line)")
            }
        }
        let after = try place.array("action list --organization acme")
        #expect(
            after.map { $0["action_id"] as? String } == before.map { $0["action_id"] as? String })
    }
}
