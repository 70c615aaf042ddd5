import Domain
import Foundation
import Ledger
import TestSupport
import Testing

@testable import Admin

/// The commands against a real database, found through a configuration file.
@Suite struct `Admin commands on a real ledger` {
    @Test func `a team, a key, quotas and their end, as an administrator does it`() throws {
        let place = try Installation()
        #expect(try place.object("team create research")["team"] as? String == "research")
        let again = place.run("team create research")
        #expect(again.status == 1)
        #expect(again.complaint.contains("There is a team \"research\" already."))

        let key = try place.object(
            "key create --team research --name ci --expires 90d --models tiny,gpt-4o")
        let id = try #require(key["key_id"] as? String)
        let secret = try #require(key["key"] as? String)
        #expect(secret.hasPrefix("sk-acme_\(id)_"))
        #expect(key["last4"] as? String == String(secret.suffix(4)))
        #expect(try place.array("key list").map { $0["key_id"] as? String } == [id])
        #expect(try place.object("key show \(id)")["models"] as? [String] == ["tiny", "gpt-4o"])

        let quotas = try place.array(
            "quota set --key \(id) --tokens 2000/day --requests 600/minute --cost 50usd/month"
                + " --concurrent 8")
        #expect(quotas.map { $0["limit"] as? Int } == [2000, 50_000_000_000, 600, 8])
        #expect(quotas.map { $0["left"] as? Int } == [2000, 50_000_000_000, nil, nil])
        #expect(try place.array("quota set --key \(id) --tokens 3000/day").count == 4)
        for (word, outage) in [
            ("--outage refuse", "refuse"), ("", "refuse"), ("--outage ride", "ride"),
        ] {
            let set = try place.array("quota set --key \(id) --tokens 3000/day \(word)")
            let outages = set.map { $0["outage"] as? String }
            #expect(outages == [outage, "ride", nil, nil])
        }
        for (word, soft) in [("--soft", true), ("", true), ("--hard", false), ("", false)] {
            let set = try place.array("quota set --key \(id) --tokens 3000/day \(word)")
            #expect(set.map { $0["soft"] as? Bool } == [soft, false, nil, nil])
        }
        #expect(try place.array("quota clear --key \(id) --requests minute").count == 3)
        #expect(try place.array("quota clear --key \(id) --all --yes").isEmpty)

        #expect(try place.object("key revoke \(id) --yes")["state"] as? String == "revoked")
        #expect(try place.array("key list").isEmpty)
        #expect(try place.array("key list --all").map { $0["state"] as? String } == ["revoked"])
        #expect(place.run("usage --by key").output.hasPrefix("No usage since "))
        #expect(try place.array("node list --all").isEmpty)
        #expect(place.run("node write-off 7 --yes").status == 1)
    }

    @Test func `organizations do not see each other`() throws {
        let place = try Installation()
        _ = try place.object("org create acme")
        #expect(
            try place.array("org list").map { $0["organization"] as? String } == [
                "acme", "default",
            ])
        _ = try place.object("team create research --organization acme")
        let key = try place.object("key create --team research --name ci --organization acme")
        let id = try #require(key["key_id"] as? String)
        #expect(place.run("key show \(id)").status == 1)
        #expect(place.run("key revoke \(id) --yes").status == 1)
        #expect(place.run("quota set --key \(id) --tokens 5/day").status == 1)
        #expect(place.run("quota set --team research --tokens 5/day").status == 1)
        #expect(place.run("usage --team research").status == 1)
        #expect(place.run("usage --key \(id)").status == 1)
        #expect(try place.array("key list --all").isEmpty)
        #expect(
            try place.object("key show \(id) --organization acme")["state"] as? String == "active")
        let quotas = try place.array("quota set --organization acme --tokens 5/total")
        #expect(quotas.first?["subject"] as? String == "organization")
        #expect(quotas.first?["resets_at"] is NSNull)
    }

    @Test func `a stranger's every command finds no key, no team and no organization`() throws {
        let place = try Installation()
        _ = try place.object("org create acme")
        _ = try place.object("org create rival")
        _ = try place.object("team create research --organization acme")
        let made = try place.object("key create --team research --name ci --organization acme")
        let id = try #require(made["key_id"] as? String)
        // Every command behaves to a stranger as if the key, the team or the organization were
        // missing, and changes nothing.
        for words in [
            "key show ID", "key rotate ID", "key rotate ID --finish", "key suspend ID",
            "key resume ID", "key rename ID x", "key update ID --all-models", "key delete ID --yes",
            "key revoke ID --yes", "team show TEAM", "team rename TEAM x", "team suspend TEAM",
            "team resume TEAM", "team delete TEAM --yes",
        ] {
            func run(_ key: String, _ team: String) -> CommandRun {
                place.run(
                    words.replacing("ID", with: key).replacing("TEAM", with: team)
                        + " --organization rival")
            }
            let theirs = run(id, "research")
            let nobodys = run("00000000001", "nobody")
            #expect(theirs.status == 1 && theirs.output.isEmpty, "\(words)")
            #expect(
                theirs.complaint.replacing(id, with: "-").replacing("research", with: "-")
                    == nobodys.complaint.replacing("00000000001", with: "-")
                    .replacing("nobody", with: "-"))
        }
        let show = "key show \(id) --organization acme"
        #expect(try place.object(show)["state"] as? String == "active")
    }

    @Test func `a key lives its life on a real ledger`() throws {
        let place = try Installation()
        _ = try place.object("org create acme")
        _ = try place.object("team create research --organization acme")
        let made = try place.object(
            "key create --team research --name ci --tag env=prod --endpoints chat --clamp"
                + " --max-completion-tokens 500 --organization acme")
        let id = try #require(made["key_id"] as? String)
        #expect(made["tags"] as? [String] == ["env=prod"] && made["clamp"] as? Bool == true)
        #expect(made["max_completion_tokens"] as? Int == 500)
        let show = "key show \(id) --organization acme"
        #expect(try place.object(show)["state"] as? String == "active")

        let next = try place.object("key rotate \(id) --organization acme")
        let nextID = try #require(next["key_id"] as? String)
        #expect(try place.object(show)["replaced_by"] as? String == nextID)
        #expect(place.run("key rotate \(nextID) --organization acme").status == 1)
        _ = try place.object("key rotate \(nextID) --finish --organization acme")
        #expect(
            try place.array("key list --revoked --organization acme").map {
                $0["revoke_reason"] as? String
            } == ["rotated"])
        _ = try place.object("team suspend research --organization acme --reason unpaid")
        let suspended = try place.object("key show \(nextID) --organization acme")
        #expect(suspended["state"] as? String == "suspended")
        #expect(suspended["suspended"] as? String == "team")
        _ = try place.object("org rename acme beta")
        #expect(place.run("team show research --organization acme").status == 1)
        #expect(
            try place.object("team show research --organization beta")["suspend_reason"] as? String
                == "unpaid")
        #expect(place.run("org delete beta").status == 2)
        _ = try place.object("org delete beta --yes")
        #expect(place.run("org show beta").status == 1)
        #expect(try place.object("org create beta")["state"] as? String == "active")
        #expect(place.run("org delete default --yes").status == 1)
        #expect(try place.array("key list --all --pepper 1 --organization beta").isEmpty)
    }

    @Test func `what keeps the ledger from being opened is told with its status`() throws {
        let missing = CommandRun.of(
            arguments: ["org", "list", "--config", "/nowhere/turnpike.yaml"], width: 80, answer: nil
        ) { file throws(AdminFailure) in
            try ConfiguredLedger.open(file, random: LedgerRandom { 0 }, author: .test)
        }
        #expect(missing.status == 2)
        #expect(missing.complaint.contains("/nowhere/turnpike.yaml"))

        let away = try Installation(
            database: nil, url: "postgres:///turnpike?host=/nowhere/at/all")
        let unreachable = away.run("org list")
        #expect(unreachable.status == 3)
        #expect(unreachable.complaint.contains("cannot be reached"))

        let empty = try TestDatabase.makeEmpty()
        let unready = try Installation(database: empty, url: empty.url).run("org list")
        #expect(unready.status == 1)
        #expect(unready.complaint.contains("turnpike migrate"), "\(unready.complaint)")
    }

    @Test func `without a pepper no key is made, and its file is not left behind`() throws {
        let place = try Installation()
        _ = try place.object("team create research")
        try FileManager.default.removeItem(at: place.folder.appending(path: "pepper"))
        let path = place.folder.appending(path: "ci.key").path
        let run = place.run("key create --team research --name ci --secret-file \(path)")
        #expect(run.status == 2)
        #expect(run.complaint.contains("pepper_file"))
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(try place.array("key list --all").isEmpty)
    }
}
