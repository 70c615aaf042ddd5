import Domain
import Foundation
import Testing

@testable import Admin

@Suite struct `Commands on the life of organizations, teams and keys` {
    /// A ledger with a team and a key in the default organization, and another organization.
    private static func furnished() throws -> (FakeAdminLedger, KeyEntry) {
        let ledger = FakeAdminLedger()
        let home = try #require(try ledger.findOrganization("default"))
        _ = try ledger.createOrganization("acme")
        let research = try ledger.createTeam("research", in: home)
        let order = KeyOrder(name: "ci", expiresAt: nil, models: nil, streamsUsage: false)
        return (ledger, try ledger.mintKey(order, for: research, in: home).key)
    }

    @Test func `a rotation shows the next secret once and says until when the one before works`()
        throws
    {
        let (ledger, key) = try Self.furnished()
        let run = CommandRun.of("key rotate \(key.id) --grace 48h", with: ledger)
        #expect(run.status == 0, "\(run.complaint)")
        let secret = try #require(run.lines.first)
        #expect(secret.wholeMatch(of: /sk-test_[0-9A-Za-z]{11}_[0-9A-Za-z]{49}/) != nil)
        #expect(!secret.contains(key.id.description))
        #expect(
            run.lines.suffix(2) == [
                "The one before, \(key.id), works until 2026-11-23 08:09 UTC.",
                "Sooner: turnpike admin key rotate \(key.id) --finish",
            ])
        let list = CommandRun.of("key list", with: ledger)
        #expect(list.output.contains("retiring") && list.output.contains("active"))
        let show = CommandRun.of("key show \(key.id)", with: ledger)
        #expect(show.output.contains("Replaced by"))
        let end = CommandRun.of("key rotate \(key.id) --finish", with: ledger)
        #expect(end.output == "The secret before, \(key.id), is revoked.\n")
        let again = CommandRun.of("key rotate \(key.id) --finish", with: ledger)
        #expect(again.status == 1)
        #expect(again.complaint.contains("is not being rotated"))
    }

    @Test func `revoking one of two secrets says that the other still works`() throws {
        let (ledger, key) = try Self.furnished()
        #expect(CommandRun.of("key rotate \(key.id)", with: ledger).status == 0)
        let run = CommandRun.of(
            arguments: ["key", "revoke", "\(key.id)", "--yes", "--reason", "in a public place"],
            with: ledger)
        #expect(run.lines.count == 2 && run.output.contains("Its other secret, "))
        let list = CommandRun.of("key list --revoked", with: ledger)
        #expect(
            list.output == """
                Key          Name  Team      Revoked           Reason
                \(key.id)  ci    research  2026-11-21 08:09  in a public place

                """, "\(list.output)")
    }

    @Test(arguments: [
        ("org", "acme", "Organization \"acme\""), ("team", "research", "Team \"research\""),
        ("key", "", "Key "),
    ])
    func `suspending says how to come back, and show says why`(
        _ word: String, _ name: String, _ title: String
    ) throws {
        let (ledger, key) = try Self.furnished()
        let argument = name.isEmpty ? key.id.description : name
        let run = CommandRun.of(
            arguments: [word, "suspend", argument, "--reason", "bill is open"], with: ledger)
        #expect(run.status == 0, "\(run.complaint)")
        #expect(run.lines.first?.hasPrefix(title) == true)
        #expect(run.lines.first?.hasSuffix(" is suspended.") == true)
        #expect(run.lines.last == "Back: turnpike admin \(word) resume \(argument)")
        let show = CommandRun.of("\(word) show \(argument)", with: ledger)
        #expect(show.output.contains("bill is open"), "\(show.output)")
        let json = CommandRun.of("\(word) show \(argument) --format json", with: ledger)
        #expect(json.output.contains("\"state\": \"suspended\""), "\(json.output)")
        #expect(CommandRun.of("\(word) list", with: ledger).output.contains("suspended"))
        #expect(CommandRun.of("\(word) resume \(argument)", with: ledger).status == 0)
        #expect(!CommandRun.of("\(word) list", with: ledger).output.contains("suspended"))
    }

    @Test func `what has nothing is deleted at once, and what has something with a yes`() throws {
        let (ledger, key) = try Self.furnished()
        for line in ["team delete research", "org delete default", "key delete \(key.id)"] {
            let silent = CommandRun.of(line, with: ledger)
            #expect(silent.status == 2, "\(line)")
            #expect(silent.complaint.contains("Add --yes"))
        }
        let asked = CommandRun.of("team delete research", with: ledger, answer: "n")
        #expect(asked.complaint.contains("Delete team \"research\" with 1 key for good?"))
        #expect(CommandRun.of("org delete acme", with: ledger).status == 0)
        let all = CommandRun.of("team delete research --yes", with: ledger)
        #expect(all.output == "Team \"research\" is deleted.\n")
        #expect(CommandRun.of("key show \(key.id)", with: ledger).status == 1)
    }

    @Test func `a key is renamed and its terms change, each by its word`() throws {
        let (ledger, key) = try Self.furnished()
        #expect(
            CommandRun.of("key rename \(key.id) nightly", with: ledger).output
                == "Key \(key.id) (ci, team research) is now called \"nightly\".\n")
        let line =
            "key update \(key.id) --models tiny --endpoints chat,models --tag env=prod --tag a=b"
            + " --max-completion-tokens 2000 --stream-usage --expires 30d --clamp"
        let run = CommandRun.of(line, with: ledger)
        #expect(
            run.output == """
                Key           \(key.id)
                Name          nightly
                Team          research
                Organization  default
                State         active
                Ends in       abcd
                Models        tiny
                Created       2026-11-21 08:09
                Expires       2026-12-21 08:09
                Stream usage  always
                Endpoints     chat, models
                Tags          a=b, env=prod
                Usual bound   2,000 completion tokens
                Too large     made smaller, not refused
                Last used     never
                Pepper        1

                """, "\(run.output)")
        let back = CommandRun.of(
            "key update \(key.id) --all-models --all-endpoints --untag a --tag env=test"
                + " --no-max-completion-tokens --no-stream-usage --never-expires --no-clamp",
            with: ledger)
        #expect(back.output.contains("Tags          env=test\n"), "\(back.output)")
        #expect(back.output.contains("Models        all") && back.output.contains("never"))
        #expect(!back.output.contains("Endpoints") && !back.output.contains("Usual bound"))
    }

    @Test(arguments: [
        ("key update 00000000001", "Nothing to change"),
        ("key update 00000000001 --models a --all-models", "exclude each other"),
        ("key update 00000000001 --endpoints audio", "--endpoints is a list of chat"),
        ("key update 00000000001 --tag prod", "--tag is a name and a value"),
        ("key create --team a --name b --tag a=1 --tag a=2", "each name once"),
        ("key rotate 00000000001 --grace 91d", "--grace is at most 90d"),
        ("key rotate 00000000001 --grace 2027-01-01", "--grace is a span"),
        ("key rotate 00000000001 --finish --grace 1h", "--finish makes no secret"),
        ("key list --all --revoked", "name one"),
        ("team rename a", "Missing expected argument '<new-name>'"),
    ])
    func `a wrong command line ends with status 2 and says what is right`(
        line: String, message: String
    ) throws {
        let run = CommandRun.of(line, with: FakeAdminLedger())
        #expect(run.status == 2)
        #expect(run.complaint.contains(message), "\(run.complaint)")
    }

    @Test func `what belongs to another organization behaves as if it were not there`() throws {
        let (ledger, key) = try Self.furnished()
        let missing = KeyID(rawValue: 1)
        for command in [
            "key rotate", "key rotate --finish", "key suspend", "key resume", "key rename x",
            "key delete --yes", "key update --all-models", "key revoke --yes",
        ] {
            let words = command.split(separator: " ").map(String.init)
            func run(_ id: KeyID) -> CommandRun {
                CommandRun.of(
                    arguments: words.prefix(2) + [id.description] + words.dropFirst(2)
                        + ["--organization", "acme"], with: ledger)
            }
            #expect(run(key.id).status == 1, "\(command)")
            #expect(
                run(key.id).complaint.replacing(key.id.description, with: "ID")
                    == run(missing).complaint.replacing(missing.description, with: "ID"))
        }
        for command in ["suspend", "resume", "show", "delete --yes"] {
            let run = CommandRun.of("team \(command) research --organization acme", with: ledger)
            #expect(run.status == 1, "\(command)")
        }
        #expect(
            try ledger.keys(in: #require(try ledger.findOrganization("default")), of: nil) == [key])
    }

    @Test func `every new command has its example in its help`() {
        let commands = [
            "org show", "org rename", "org suspend", "org resume", "org delete", "team show",
            "team rename", "team suspend", "team resume", "team delete", "key rename", "key update",
            "key rotate", "key suspend", "key resume", "key delete",
        ]
        for command in commands {
            let run = CommandRun.of("\(command) --help", with: FakeAdminLedger())
            #expect(run.status == 0)
            #expect(run.output.contains("Example:\n"), "\(command)")
            #expect(run.output.contains("turnpike admin \(command)"), "\(command)")
        }
    }

    private static let verbs: [(noun: String, lines: String)] = [
        (
            "key",
            """
              create                  Make a key and show it, this once.
              list                    List keys that are not over.
              show                    Show one key; its secret is stored nowhere and cannot
                                      be shown.
              rename                  Give a key another name.
              update                  Change what a key may do.
              rotate                  Make a key's next secret; the one before ends later.
              suspend                 Refuse a key's requests.
              resume                  Take a key's requests again.
              revoke                  End a key for good.
              delete                  Delete a key for good.
            """
        ),
        (
            "team",
            """
              create                  Create a team.
              list                    List an organization's teams.
              show                    Show one team.
              rename                  Give a team another name.
              suspend                 Refuse a team's requests.
              resume                  Take a team's requests again.
              delete                  Delete a team for good.
            """
        ),
        (
            "org",
            """
              create                  Create an organization.
              list                    List the organizations.
              show                    Show one organization.
              rename                  Give an organization another name.
              suspend                 Refuse an organization's requests.
              resume                  Take an organization's requests again.
              delete                  Delete an organization for good.
            """
        ),
    ]

    @Test(arguments: verbs)
    func `the same verbs stand in the same order for each noun`(_ noun: String, _ lines: String) {
        let help = CommandRun.of("\(noun) --help", with: FakeAdminLedger()).output
        #expect(help.contains("SUBCOMMANDS:\n\(lines)\n"), "\(help)")
    }
}
