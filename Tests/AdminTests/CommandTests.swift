import Domain
import Foundation
import Testing

@testable import Admin

@Suite struct `Admin commands` {
    /// A ledger with a team and a key in the default organization, and another organization with
    /// its own.
    private static func furnished() throws -> (FakeAdminLedger, KeyEntry, KeyEntry) {
        let ledger = FakeAdminLedger()
        let home = try #require(try ledger.findOrganization("default"))
        let away = try ledger.createOrganization("acme")
        let research = try ledger.createTeam("research", in: home)
        let secretive = try ledger.createTeam("secretive", in: away)
        let order = KeyOrder(name: "ci", expiresAt: nil, models: nil, streamsUsage: false)
        let key = try ledger.mintKey(order, for: research, in: home).key
        let foreign = try ledger.mintKey(order, for: secretive, in: away).key
        return (ledger, key, foreign)
    }

    @Test(arguments: [
        ("team create", "Missing expected argument '<name>'"),
        ("team create a --format xml", "--format"), ("team paint", "Unexpected argument 'paint'"),
        ("key create --team a", "Missing expected argument '--name <name>'"),
        ("key create --team a --name b --expires 0d", "a span is longer than nothing"),
        ("key create --team a --name b --expires soon", "give a span such as 90d"),
        ("key create --team a --name b --models x,,y", "--models is a list"),
        ("key show nonsense", "A key id has 11 letters and digits"),
        ("key revoke", "Missing expected argument '<key-id>'"),
        ("quota set --team a", "Nothing to set"),
        ("quota set --tokens 5/day", "Whose?"),
        ("quota set --team a --key 00000000001 --tokens 5/day", "name one"),
        ("quota set --team a --tokens 5", "it needs a period, such as 1000000/day"),
        ("quota set --team a --tokens 5/day --tokens 6/day", "tokens/day is named twice"),
        ("quota set --team a --requests 5/hour", "give minute, day, month or total"),
        ("quota set --team a --cost 50/month", "names its currency"),
        ("quota set --team a --concurrent 0", "a rate limit is at least 1"),
        ("quota set --team a --tokens-rate 5/day", "a token rate is per minute"),
        ("quota set --team a --tokens 5/day --outage maybe", "give ride or refuse"),
        ("quota set --team a --requests 5/minute --outage ride", "--outage is about quotas"),
        ("quota set --team a --outage ride", "Nothing to set"),
        ("quota clear --team a", "Nothing to clear"),
        ("quota clear --team a --all --tokens day", "name nothing besides it"),
        ("quota clear --team a --tokens week", "give day, month or total"),
        ("usage --by week", "give day, hour, month, model, team, key, tag or end-state"),
        ("usage --top 0", "--top is at least 1"), ("usage --top ten", "'ten' is invalid"),
        ("usage --rank beauty", "give tokens, cost, requests or failed"),
        ("usage --time-zone Berlin", "give UTC or a place such as Europe/Berlin"),
        ("usage --time-zone Europe/Nowhere", "give UTC or a place such as Europe/Berlin"),
        ("usage --chart pie", "give bars, heatmap or none"),
        ("usage --chart heatmap --by model", "leave out --by, --top and --compare"),
        ("usage --chart heatmap --compare", "leave out --by, --top and --compare"),
        ("usage --since yesterday", "give a span such as"),
        ("usage --since 2026-11-22", "The report would end before it begins"),
        ("usage --since 24h --until 2d", "The report would end before it begins"),
    ])
    func `a wrong command line ends with status 2 and says what is right`(
        line: String, message: String
    ) throws {
        let (ledger, _, _) = try Self.furnished()
        let run = CommandRun.of(line, with: ledger)
        #expect(run.status == 2)
        #expect(run.output.isEmpty)
        #expect(run.complaint.contains(message), "\(run.complaint)")
    }

    @Test(arguments: [
        "team create \u{1B}[2J", "team create", "org create a\u{202E}b", "org create ",
    ])
    func `a name that could disturb a terminal is refused`(prefix: String) throws {
        var words = prefix.split(separator: " ", maxSplits: 2).map(String.init)
        if words.count < 3 { words.append("") }
        let run = CommandRun.of(arguments: words, with: FakeAdminLedger())
        #expect(run.status == 2)
        #expect(!run.complaint.contains("\u{1B}"))
    }

    @Test func `help shows an example for every command and ends with status 0`() {
        let commands = [
            "org create", "org list", "team create", "team list", "key create", "key list",
            "key show", "key revoke", "quota set", "quota show", "quota clear", "usage",
            "node list", "node write-off",
        ]
        for command in commands {
            let run = CommandRun.of("\(command) --help", with: FakeAdminLedger())
            #expect(run.status == 0)
            #expect(run.output.contains("Example:\n"), "\(command)")
            #expect(run.output.contains("turnpike admin \(command)"), "\(command)")
        }
    }

    @Test func `what belongs to another organization behaves as if it were not there`() throws {
        let (ledger, _, foreign) = try Self.furnished()
        let missing = KeyID(rawValue: 1)
        for command in ["key show", "key revoke --yes", "quota show --key", "usage --key"] {
            let theirs = CommandRun.of("\(command) \(foreign.id)", with: ledger)
            let nobodys = CommandRun.of("\(command) \(missing)", with: ledger)
            #expect(theirs.status == 1)
            #expect(nobodys.status == 1)
            #expect(
                theirs.complaint.replacing(foreign.id.description, with: "ID")
                    == nobodys.complaint.replacing(missing.description, with: "ID"))
        }
        #expect(CommandRun.of("key list --team secretive", with: ledger).status == 1)
        #expect(CommandRun.of("key list --organization other", with: ledger).status == 1)
        #expect(
            !CommandRun.of("key list --all", with: ledger).output.contains(foreign.id.description))
        #expect(
            CommandRun.of("key show \(foreign.id) --organization acme", with: ledger).status == 0)
    }

    @Test func `a ledger that cannot be reached ends every command with status 3`() {
        let ledger = FakeAdminLedger()
        ledger.change {
            $0.failure = AdminFailure(status: .unreachable, message: "Gone.", advice: "Wait.")
        }
        for line in ["org list", "team create a", "usage", "quota set --team a --tokens 5/day"] {
            let run = CommandRun.of(line, with: ledger)
            #expect(run.status == 3)
            #expect(run.complaint.hasPrefix("Error: Gone.\nWait.\n"))
        }
    }

    @Test(arguments: [
        ("research", "--team research --name KEY"), ("R & D", "--team 'R & D' --name KEY"),
        ("it's", #"--team 'it'\''s' --name KEY"#),
    ])
    func `what comes next names what was just made`(name: String, next: String) throws {
        let run = CommandRun.of(
            arguments: ["team", "create", name], with: FakeAdminLedger())
        #expect(run.lines.last == "Next: turnpike admin key create \(next)")
        let (ledger, _, _) = try Self.furnished()
        let made = CommandRun.of(arguments: ["org", "create", name], with: ledger)
        let organization = next.replacing("--team", with: "--organization")
            .replacing(" --name KEY", with: "")
        #expect(made.lines.last == "Next: turnpike admin team create NAME \(organization)")
    }

    @Test func `a new key is shown once, alone on its line`() throws {
        let (ledger, _, _) = try Self.furnished()
        let line = "key create --team research --name laptop --expires 90d --models tiny,gpt-4o"
        let run = CommandRun.of(line, with: ledger)
        #expect(run.status == 0, "\(run.complaint)")
        let secret = try #require(run.lines.first)
        #expect(secret.wholeMatch(of: /sk-test_[0-9A-Za-z]{11}_[0-9A-Za-z]{49}/) != nil)
        #expect(run.output.contains("Expires  2027-02-19 08:09 UTC"))
        #expect(run.output.contains("Models   tiny, gpt-4o"))
        #expect(run.output.contains("Shown once"))
        #expect(run.lines.allSatisfy { DisplayWidth.of($0) <= 80 })
        for line in ["key list --all", "key list --all --format json"] {
            #expect(!CommandRun.of(line, with: ledger).output.contains(secret))
        }
    }

    @Test func `a new key for a program is one object with key and key_id`() throws {
        let (ledger, _, _) = try Self.furnished()
        let run = CommandRun.of("key create --team research --name x --format json", with: ledger)
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        let key = try #require(object["key"] as? String)
        let id = try #require(object["key_id"] as? String)
        #expect(key.contains("_\(id)_"))
        #expect(
            Set(object.keys) == Set(KeyView.names + ["key"]), "\(object.keys.sorted())")
    }

    @Test func `a whole key given for its id is refused without being repeated`() throws {
        let (ledger, _, _) = try Self.furnished()
        let secret = "sk-acme_00000000001_" + String(repeating: "s", count: 49)
        for command in ["key show", "key revoke --yes", "quota show --key", "usage --key"] {
            let run = CommandRun.of("\(command) \(secret)", with: ledger)
            #expect(run.status == 2)
            #expect(run.complaint.contains("A key id has 11 letters and digits"))
            #expect(!(run.complaint + run.output).contains("ssss"))
        }
    }

    @Test func `a secret's file is new, private, and the only place of the key`() throws {
        let (ledger, _, _) = try Self.furnished()
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "ci.key").path
        let line = "key create --team research --name x --secret-file \(path)"
        let run = CommandRun.of(line, with: ledger)
        #expect(run.status == 0, "\(run.complaint)")
        let secret = try String(contentsOfFile: path, encoding: .utf8)
        #expect(secret.wholeMatch(of: /sk-test_[0-9A-Za-z]{11}_[0-9A-Za-z]{49}\n/) != nil)
        #expect(!run.output.contains(secret.dropLast()))
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
        #expect((mode as? NSNumber)?.intValue == 0o600)

        let keys = ledger.change { $0.keys[.default]?.count }
        let again = CommandRun.of(line, with: ledger)
        #expect(again.status == 1)
        #expect(again.complaint.contains("it exists already"), "\(again.complaint)")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == secret)
        #expect(ledger.change { $0.keys[.default]?.count } == keys)
    }

    @Test func `revoking asks on a terminal and needs --yes without one`() throws {
        let (ledger, key, _) = try Self.furnished()
        let silent = CommandRun.of("key revoke \(key.id)", with: ledger)
        #expect(silent.status == 2)
        #expect(silent.complaint.contains("Add --yes"))
        let declined = CommandRun.of("key revoke \(key.id)", with: ledger, answer: "n")
        #expect(declined.status == 1)
        #expect(CommandRun.of("key list", with: ledger).output.contains(key.id.description))
        let agreed = CommandRun.of("key revoke \(key.id)", with: ledger, answer: "y")
        #expect(agreed.status == 0)
        #expect(agreed.output == "Key \(key.id) is revoked.\n")
        let again = CommandRun.of("key revoke \(key.id)", with: ledger)
        #expect(again.output == "Key \(key.id) was revoked already.\n")
        #expect(!CommandRun.of("key list", with: ledger).output.contains(key.id.description))
        #expect(CommandRun.of("key list --all", with: ledger).output.contains("revoked"))
    }

    @Test func `a list of keys fits 80 columns whatever they are called`() throws {
        let (ledger, _, _) = try Self.furnished()
        let home = try #require(try ledger.findOrganization("default"))
        let names = [
            String(repeating: "w", count: 64), String(repeating: "研", count: 21),
            String(repeating: "🙂", count: 16), "\u{1B}[31mred\u{1B}[0m", "a\nb", "\u{202E}abc",
        ]
        for name in names {
            let team = try ledger.createTeam(name, in: home)
            let expiry = FakeAdminLedger.now + .seconds(5)
            let order = KeyOrder(name: name, expiresAt: expiry, models: names, streamsUsage: true)
            let key = try ledger.mintKey(order, for: team, in: home).key
            let details = CommandRun.of("key show \(key.id)", with: ledger)
            #expect(details.lines.allSatisfy { DisplayWidth.of($0) <= 80 })
        }
        let run = CommandRun.of("key list", with: ledger)
        #expect(run.lines.count == names.count + 2)
        #expect(run.lines.allSatisfy { DisplayWidth.of($0) <= 80 })
        #expect(!run.output.contains("\u{1B}"))
        #expect(run.lines.contains { $0.contains("…") })
    }

    @Test func `quotas are shown with what is left, as set`() throws {
        let (ledger, key, _) = try Self.furnished()
        let run = CommandRun.of(
            "quota set --key \(key.id) --tokens 1_000_000/day --tokens 20M/month --requests 600/minute"
                + " --requests 1000/day --tokens-rate 200k/minute --cost 50usd/month --concurrent 8",
            with: ledger)
        #expect(run.status == 0, "\(run.complaint)")
        #expect(
            run.output == """
                Quota                     Limit   Used  Reserved        Left  Resets      Outage
                tokens/day            1,000,000      0         0   1,000,000  2026-11-22  ride
                tokens/month         20,000,000      0         0  20,000,000  2026-12-01  ride
                requests/minute             600
                requests/day              1,000      0         0       1,000  2026-11-22  ride
                cost/month               $50.00  $0.00     $0.00      $50.00  2026-12-01  ride
                tokens/minute           200,000
                concurrent requests           8

                """, "\(run.output)")
        #expect(run.lines.allSatisfy { DisplayWidth.of($0) <= 80 })
        let rows = try #require(
            try JSONSerialization.jsonObject(
                with: Data(
                    CommandRun.of("quota show --key \(key.id) --format json", with: ledger).output
                        .utf8))
                as? [[String: Any]])
        #expect(rows.count == 7)
        #expect(rows.allSatisfy { Set($0.keys) == Set(AllowanceView.names) })
        #expect(rows.first?["limit"] as? Int == 1_000_000)
        #expect(rows.first?["resets_at"] as? String == "2026-11-22T00:00:00Z")
        #expect(rows.first?["outage"] as? String == "ride")
        #expect(rows.last?["outage"] is NSNull)
    }

    @Test func `a quota refuses in outages when told so, and until it is told otherwise`() throws {
        let (ledger, _, _) = try Self.furnished()
        let run = CommandRun.of(
            "quota set --team research --tokens 5/day --requests 6/day --requests 9/minute"
                + " --outage refuse", with: ledger)
        #expect(
            run.output == """
                Quota            Limit  Used  Reserved  Left  Resets      Outage
                tokens/day           5     0         0     5  2026-11-22  refuse
                requests/day         6     0         0     6  2026-11-22  refuse
                requests/minute      9

                """, "\(run.output)")
        func outages(_ set: String) throws -> [String] {
            #expect(CommandRun.of("quota set --team research \(set)", with: ledger).status == 0)
            let show = "quota show --team research --format csv"
            let lines = CommandRun.of(show, with: ledger).output.split(whereSeparator: \.isNewline)
            return lines.dropFirst().map { line in
                let fields = line.split(separator: ",", omittingEmptySubsequences: false)
                return "\(fields[4])/\(fields[5]) \(fields[13])"
            }.sorted()
        }
        #expect(
            try outages("--tokens 7/day --cost 1usd/total") == [
                "cost/total ride", "requests/day refuse", "requests/minute ", "tokens/day refuse",
            ])
        #expect(
            try outages("--tokens 7/day --outage ride") == [
                "cost/total ride", "requests/day refuse", "requests/minute ", "tokens/day ride",
            ])
    }

    @Test func `clearing names what goes, and everything only with a yes`() throws {
        let (ledger, _, _) = try Self.furnished()
        let set = "quota set --team research --tokens 5/day --requests 9/minute"
        #expect(CommandRun.of(set, with: ledger).status == 0)
        let wrong = CommandRun.of(
            "quota clear --team research --tokens day --cost day", with: ledger)
        #expect(wrong.status == 1)
        #expect(wrong.complaint.contains("There is no cost/day limit on team \"research\"."))
        #expect(CommandRun.of("quota clear --team research --all", with: ledger).status == 2)
        let one = CommandRun.of("quota clear --team research --requests minute", with: ledger)
        #expect(one.status == 0)
        #expect(one.output.contains("tokens/day"))
        #expect(!one.output.contains("requests/minute"))
        let all = CommandRun.of("quota clear --team research --all --yes", with: ledger)
        #expect(all.output == "Nothing limits team \"research\" itself.\n")
    }

    @Test func `empty answers say so in one line, or are empty for programs`() {
        let ledger = FakeAdminLedger()
        #expect(
            CommandRun.of("team list", with: ledger).output
                == "No teams in organization \"default\".\n")
        #expect(CommandRun.of("team list --format json", with: ledger).output == "[]\n")
        #expect(
            CommandRun.of("team list --format csv", with: ledger).output
                == "team,team_id,organization,created_at,state,suspended_at,suspend_reason\r\n")
        #expect(CommandRun.of("key list", with: ledger).lines.count == 1)
    }
}
