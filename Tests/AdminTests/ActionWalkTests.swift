import ArgumentParser
import Domain
import Foundation
import Ledger
import TestSupport
import Testing

@testable import Admin

/// Every command that changes something, on a real ledger, and what is on record of it afterwards.
@Suite struct `Every change that a command makes is on record` {
    /// Commands that change nothing in the ledger.
    private static let reading: Set<String> = [
        "org list", "org show", "team list", "team show", "key list", "key show", "quota show",
        "quota check", "quota replay", "usage", "usage export", "statement", "explain", "audit",
        "reconcile", "action list", "action show", "node list", "model list", "model show",
        "admin-key list", "event list", "event show",
        "doctor", "completions", "manual",
    ]

    /// Commands that only have a message sent, which the event itself keeps: no key, no allowance and
    /// no book changes by them. They are not on record as actions yet.
    private static let messages: Set<String> = ["event redeliver", "event test"]

    /// Commands that change the books over several transactions, and the test of what they record.
    private static let books: [String: String] = [
        "retention": "LedgerTests, `What retention does is on record`",
        "node write-off": "LedgerTests, `a write-off is on record`",
        "model reprice": "LedgerTests, `a repricing is on record`",
    ]

    /// The walk: a command, and the line that runs it. What each leaves on record is in the golden
    /// file: the action, its organization, its subject and each fact that differs.
    private static let walk: [(command: String, line: String)] = [
        ("org create", "org create acme"),
        ("org rename", "org rename acme beta"),
        ("org suspend", "org suspend beta --reason unpaid"),
        ("org resume", "org resume beta"),
        ("team create", "team create research"),
        ("team rename", "team rename research science"),
        ("team suspend", "team suspend science --reason unpaid"),
        ("team resume", "team resume science"),
        ("key create", "key create --team science --name ci --models tiny,big --tag env=prod"),
        ("key rename", "key rename KEY deploy"),
        ("key update", "key update KEY --all-models --clamp"),
        ("key suspend", "key suspend KEY --reason unpaid"),
        ("key resume", "key resume KEY"),
        ("key rotate", "key rotate KEY --grace 1h"),
        ("key rotate", "key rotate NEW --finish"),
        ("key revoke", "key revoke NEW --yes --reason leaked"),
        ("quota set", "quota set --team science --tokens 2000/day --requests 600/minute"),
        ("quota set", "quota set --team science --tokens 3000/day"),
        ("quota set", "quota set --team science --model tiny --tokens 7/day"),
        ("quota set", "quota set --key NEW --cost 5usd/month --outage refuse"),
        ("quota set", "quota set --organization default --tokens 9/total"),
        ("quota clear", "quota clear --team science --all --yes"),
        ("key delete", "key delete NEW --yes"),
        ("team delete", "team delete science --yes"),
        ("org delete", "org delete beta --yes"),
        ("admin-key create", "admin-key create --name ops --role auditor"),
        ("admin-key revoke", "admin-key revoke OPS --yes"),
        ("model price set", "model price set tiny --prompt 2.5 --completion 10"),
        ("model price clear", "model price clear tiny --yes"),
    ]

    /// The commands of the tree that do something, by their words.
    private static func leaves(
        _ command: any ParsableCommand.Type, _ path: [String] = []
    ) -> [String] {
        let inner = command.configuration.subcommands
        let below = inner.flatMap { leaves($0, path + [$0._commandName]) }
        let isLeaf = inner.isEmpty || command is any AdminSubcommand.Type
        return (isLeaf ? [path.joined(separator: " ")] : []) + below
    }

    @Test func `each command is known to change something or not`() {
        let known = Self.reading.union(Self.messages).union(Self.books.keys)
            .union(Self.walk.map(\.command))
        #expect(Set(Self.leaves(AdminCommand.self)) == known)
    }

    @Test func `each command that changes something says who, what, before and after`() throws {
        let place = try Installation()
        let database = try #require(place.database)
        let store = try DirectoryStore(
            url: database.url, random: LedgerRandom { .random(in: 0 ... .max) },
            author: ActionAuthor(way: .gateway, name: "gateway a"))
        _ = try store.prices.register(file: ["tiny": [:]])
        var (keys, known): ([String: String], Set<String>) = ([:], [])
        var story = ""
        for step in Self.walk {
            var line = step.line
            for (word, id) in keys { line = line.replacing(word, with: id) }
            let run = place.run(line + " --format json")
            #expect(run.status == 0, "\(step.line): \(run.complaint)")
            if let id = Self.keyID(run) {
                let word = keys.isEmpty ? "KEY" : "NEW"
                keys[line.hasPrefix("admin-key") ? "OPS" : word] = id
            }
            let actions = try place.array("action list --limit 1000")
                .filter { known.insert($0["action_id"] as? String ?? "").inserted }
            #expect(actions.allSatisfy { $0["author"] as? String == "test@here" })
            #expect(actions.allSatisfy { $0["author_way"] as? String == "command" })
            #expect(!actions.isEmpty, "\(step.line)")
            story += "$ \(step.line)\n"
            for line in actions.map({ Self.told($0, keys) }).sorted() { story += "  \(line)\n" }
            // What is told of one is what is told in the list.
            for action in actions {
                let id = try #require(action["action_id"] as? String)
                let one = try place.object("action show \(id)")
                #expect(NSDictionary(dictionary: one) == NSDictionary(dictionary: action))
            }
            // A second time nothing is there to be done, or it is refused: nothing is recorded.
            if !step.line.contains("key create"), !step.line.hasPrefix("key rotate KEY") {
                _ = place.run(line + " --format json")
                #expect(try place.array("action list --limit 1000").count == known.count)
            }
        }
        try Golden.check(story, is: "action-walk")
        #expect(try place.array("audit").isEmpty)
    }

    /// The id of the key that a run made.
    private static func keyID(_ run: CommandRun) -> String? {
        guard run.output.contains("\"key\": \""),
            let object = try? JSONSerialization.jsonObject(with: Data(run.output.utf8))
        else { return nil }
        let fields = object as? [String: Any]
        return (fields?["key_id"] ?? fields?["admin_key_id"]) as? String
    }

    /// An action on one line: what it is, of what, and each fact that differs. Ids and times, which
    /// are new in each run, by a word.
    private static func told(_ action: [String: Any], _ keys: [String: String]) -> String {
        let before = action["before"] as? [String: Any] ?? [:]
        let after = action["after"] as? [String: Any] ?? [:]
        func text(_ name: String, _ value: Any?) -> String {
            guard let value else { return "" }
            if name.hasSuffix("_at") || name == "version" { return "…" }
            let list = value as? [String] ?? ["\(value)"]
            return list.map { word in
                keys.first { $0.value == word }?.key ?? word
            }.joined(separator: "+")
        }
        let facts = Set(before.keys).union(after.keys).sorted().compactMap { name -> String? in
            let (old, new) = (text(name, before[name]), text(name, after[name]))
            return old == new ? nil : "\(name)=\(old)>\(new)"
        }
        let words = ["action", "organization", "subject_kind", "subject"].map {
            action[$0] as? String ?? "-"
        }
        return (words + facts).joined(separator: " ")
    }
}
