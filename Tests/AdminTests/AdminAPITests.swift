import Domain
import Foundation
import JSON
import Ledger
import Postgres
import TestSupport
import Testing

@testable import Admin

/// The admin HTTP API over a real ledger. Every answer is held against the API's own description.
@Suite struct `The admin API on a real ledger` {
    private func withOffice(_ body: (AdminOffice) async throws -> Void) async throws {
        try await AdminOffice.open(body)
    }

    private static let acme = "organizations/acme"

    @Test func `what a key does is on record as that key's`() async throws {
        try await withOffice { office in
            _ = try await office.ask("POST", "\(Self.acme)/teams", #"{"name":"science"}"#)
            let refused = try await office.ask(
                "POST", "\(Self.acme)/teams", #"{"name":"forbidden"}"#, as: "auditor")
            #expect(refused.status == 403)
            let store = try DirectoryStore(
                url: office.database.url, random: LedgerRandom { 1 }, author: .test)
            defer { store.connection.close() }
            let key = try #require(
                try store.adminKeys.list(organization: nil).first { $0.name == "owner" })
            var query = ActionQuery(organization: nil, limit: 100)
            query.action = .teamCreate
            let actions = try store.actions.list(query)
            #expect(actions.map(\.author) == [ActionAuthor(way: .api, name: "\(key.id) (owner)")])
            #expect(actions.first?.subject.name == "science")
            query.action = .adminKeyCreate
            #expect(try store.actions.list(query).count == 5)
            #expect(try store.auditor.audit(nil, depth: .complete).findings == [])
        }
    }

    @Test func `the life of a team and its key, field by field as the commands tell it`()
        async throws
    {
        try await withOffice { office in
            let team = try await office.ask("POST", "\(Self.acme)/teams", #"{"name":"a b/c"}"#)
            #expect(team.status == 201 && team.json["team"]?.string == "a b/c")
            let taken = try await office.ask("POST", "\(Self.acme)/teams", #"{"name":"a b/c"}"#)
            #expect(taken.status == 409 && taken.code == "already_exists")
            let shown = try await office.ask("GET", "\(Self.acme)/teams/a%20b%2Fc")
            #expect(shown.status == 200 && shown.json["team_id"]?.string != nil)
            let key = try await office.ask(
                "POST", "\(Self.acme)/keys",
                #"{"team":"a b/c","name":"ci","models":["demo"],"expires":"90d","tags":["e=1"]}"#)
            #expect(key.status == 201)
            let id = try #require(key.json["key_id"]?.string)
            #expect(key.json["key"]?.string?.hasPrefix("sk-turnpike_\(id)_") == true)
            let one = "\(Self.acme)/keys/\(id)"
            let again = try await office.ask("GET", one)
            #expect(again.status == 200 && again.json["key"] == nil)
            let changed = try await office.ask(
                "PATCH", one, #"{"models":null,"expires":null,"max_completion_tokens":9}"#)
            #expect(changed.json["models"]?.isNull == true)
            #expect(changed.json["expires_at"]?.isNull == true)
            #expect(changed.json["max_completion_tokens"]?.integer == 9)
            for (step, state) in [("suspend", "suspended"), ("resume", "active")] {
                let now = try await office.ask("POST", "\(one)/\(step)")
                #expect(now.status == 200 && now.json["state"]?.string == state)
            }
            let renamed = try await office.ask("POST", "\(one)/rename", #"{"name":"cd"}"#)
            #expect(renamed.json["name"]?.string == "cd")
            let next = try await office.ask("POST", "\(one)/rotate", #"{"grace":"1h"}"#)
            #expect(next.status == 201 && next.json["key"]?.string != nil)
            let second = try await office.ask("POST", "\(one)/rotate")
            #expect(second.status == 409 && second.code == "refused")
            let ended = try await office.ask("POST", "\(one)/finish")
            #expect(ended.status == 200 && ended.json["state"]?.string == "revoked")
            let successor = try #require(next.json["key_id"]?.string)
            let revoked = try await office.ask(
                "POST", "\(Self.acme)/keys/\(successor)/revoke", #"{"reason":"over"}"#)
            #expect(revoked.json["revoke_reason"]?.string == "over")
            let gone = try await office.ask("DELETE", "\(Self.acme)/teams/a%20b%2Fc")
            #expect(gone.status == 200)
            let missing = try await office.ask("GET", "\(Self.acme)/teams/a%20b%2Fc")
            #expect(missing.status == 404 && missing.code == "not_found")
        }
    }

    @Test func `quotas, reports and the rest answer as they are described`() async throws {
        try await withOffice { office in
            _ = try await office.ask("POST", "\(Self.acme)/teams", #"{"name":"t"}"#)
            let key = try await office.ask(
                "POST", "\(Self.acme)/keys", #"{"team":"t","name":"k"}"#)
            let id = try #require(key.json["key_id"]?.string)
            for subject in ["", "/teams/t", "/keys/\(id)"] {
                let path = Self.acme + subject
                let set = try await office.ask(
                    "PATCH", "\(path)/quotas",
                    #"{"tokens":["1000/day","2M/month"],"requests":["60/minute"],"concurrent":2}"#)
                #expect(set.status == 200 && set.rows.count == 4)
                let shown = try await office.ask("GET", "\(path)/quotas", as: "auditor")
                #expect(shown.rows.first?["limit"]?.integer == 1000)
                let nothing = try await office.ask("PATCH", "\(path)/quotas", "{}")
                #expect(nothing.status == 400)
                let wrong = try await office.ask(
                    "PATCH", "\(path)/quotas", #"{"tokens":["1/week"]}"#)
                #expect(wrong.status == 400 && wrong.code == "invalid_value")
                let cleared = try await office.ask(
                    "POST", "\(path)/quotas/clear", #"{"requests":["minute"]}"#)
                #expect(cleared.status == 200 && cleared.rows.count == 3)
            }
            let small = try await office.ask("GET", "\(Self.acme)/keys/\(id)/quotas/check?tokens=1")
            #expect(small.json["passes"]?.bool == true)
            let large = try await office.ask(
                "GET", "\(Self.acme)/keys/\(id)/quotas/check?tokens=1001")
            #expect(large.status == 200 && large.json["passes"]?.bool == false)
            #expect(large.json["reason"]?.string?.contains("1,000 left") == true)
            for path in [
                "\(Self.acme)/usage?by=team&since=30d&compare=true", "\(Self.acme)/statement",
                "\(Self.acme)/statement?team=t", "models", "nodes?all=true", "audit",
                "audit?complete=true&organization=acme", "admin-keys?all=true",
            ] {
                let reply = try await office.ask("GET", path)
                #expect(reply.status == 200, "\(path)")
            }
            let unknown = try await office.ask("GET", "models/none/prices")
            #expect(unknown.status == 404)
            for path in [
                "\(Self.acme)/requests/nonsense", "nodes/7/write-off",
                "\(Self.acme)/requests/req_019a9f3e-7c41-7cc2-b3a4-2f0d8a1b9c55",
            ] {
                let method = path.hasPrefix("nodes") ? "POST" : "GET"
                let reply = try await office.ask(method, path)
                #expect(reply.status == 404, "\(path)")
            }
            for days in [1, 36_526, 2_000_000_000] {
                let kept = try await office.ask("POST", "retention", "{\"keep_days\":\(days)}")
                #expect(kept.status == 400 && kept.code == "invalid_value")
            }
            let dropped = try await office.ask("POST", "retention", #"{"keep_days":2}"#)
            #expect(dropped.status == 200 && dropped.json["passes"]?.bool == true)
        }
    }

    // MARK: Who asks

    @Test func `only an admin key that lives is let in`() async throws {
        try await withOffice { office in
            let missing = try await office.ask("GET", "organizations", as: "")
            #expect(missing.status == 401 && missing.code == "key_missing")
            #expect(missing.headers["www-authenticate"] == "Bearer")
            _ = try await office.ask("POST", "\(Self.acme)/teams", #"{"name":"t"}"#)
            let tenant = try await office.ask(
                "POST", "\(Self.acme)/keys", #"{"team":"t","name":"k"}"#)
            let secret = try #require(tenant.json["key"]?.string)
            let refused = try await office.ask("GET", "organizations", as: secret)
            #expect(refused.status == 401 && refused.code == "not_an_admin_key")
            let real = office.secret("owner")
            // Another's secret under this key's id, and a checksum that is wrong.
            let stranger = String(real.dropLast(1)) + (real.hasSuffix("0") ? "1" : "0")
            let forged = try await office.ask("GET", "organizations", as: stranger)
            #expect(forged.status == 401 && forged.code == "key_refused")
            // Of the right form, with this key's id, and another secret: what the digest is for.
            let parts = real.split(separator: "_")
            let named = APIKeyFormat.write(
                prefix: String(parts[0]), id: try #require(KeyID(parts[1])),
                secret: [UInt8](repeating: 7, count: 32)
            ).withBytes { String(decoding: $0, as: UTF8.self) }
            let guessed = try await office.ask("GET", "organizations", as: named)
            #expect(guessed.status == 401 && guessed.code == "key_refused")
            let made = try await office.ask(
                "POST", "admin-keys", #"{"name":"n","role":"operator"}"#)
            #expect(made.status == 201)
            let id = try #require(made.json["admin_key_id"]?.string)
            let key = try #require(made.json["key"]?.string)
            #expect(key.hasPrefix("turnpike-admin_\(id)_"))
            var reply = try await office.ask("GET", "organizations", as: key)
            #expect(reply.status == 200)
            let listed = try await office.ask("GET", "admin-keys")
            let used = listed.rows.first { $0["admin_key_id"]?.string == id }
            #expect(used?["last_used_at"]?.string != nil)
            reply = try await office.ask("POST", "admin-keys/\(id)/revoke")
            #expect(reply.status == 200 && reply.json["state"]?.string == "revoked")
            reply = try await office.ask("GET", "organizations", as: key)
            #expect(reply.status == 401 && reply.code == "key_refused")
        }
    }

    @Test func `another organization is as if it did not exist, on every route`() async throws {
        try await withOffice { office in
            for name in ["acme", "other"] {
                let path = "organizations/\(name)"
                _ = try await office.ask("POST", "\(path)/teams", #"{"name":"team-\#(name)"}"#)
            }
            let key = try await office.ask(
                "POST", "organizations/other/keys", #"{"team":"team-other","name":"k"}"#)
            let theirs = try #require(key.json["key_id"]?.string)
            let keys = try await office.ask("GET", "admin-keys?organization=other")
            let theirAdmin = try #require(keys.rows.first?["admin_key_id"]?.string)
            let absent = ["absent-team", "00000000001", "absent"]
            for route in AdminRoutes.all {
                // The bound key of acme names what is other's, then what nobody has.
                let pairs = [
                    ("other", "team-other", theirs), ("absent", absent[0], absent[1]),
                ]
                var replies: [String] = []
                for (organization, team, key) in pairs {
                    let path = route.path.dropFirst(3)
                        .replacing("{organization}", with: organization)
                        .replacing("{team}", with: team).replacing("{key}", with: key)
                        .replacing("{admin_key}", with: key == theirs ? theirAdmin : absent[1])
                    guard !path.contains("{"),
                        route.reach == .organization || path.contains(key)
                            || route.path.contains("{admin_key}")
                    else { continue }
                    let reply = try await office.ask(
                        route.method, String(path) + Self.needed(route), Self.body(route),
                        as: "acme")
                    #expect(reply.status == 404, "\(route.method) \(path)")
                    let message = reply.json["error"]?["message"]?.string ?? ""
                    replies.append(
                        "\(reply.code ?? "") "
                            + message.replacing("\"\(organization)\"", with: "").replacing(
                                theirAdmin, with: ""
                            ).replacing(absent[1], with: ""))
                }
                #expect(Set(replies).count <= 1, "\(route.path): \(replies)")
            }
            // Within its own organization, an id of the other is as missing as one of nobody.
            let own = try await office.ask("GET", "\(Self.acme)/keys/\(theirs)", as: "acme")
            let nobody = try await office.ask("GET", "\(Self.acme)/keys/00000000001", as: "acme")
            #expect(own.status == 404 && nobody.status == 404 && own.code == nobody.code)
            let mine = try await office.ask("GET", "organizations", as: "acme")
            #expect(mine.rows.compactMap { $0["organization"]?.string } == ["acme"])
            let admins = try await office.ask("GET", "admin-keys", as: "acme")
            #expect(admins.rows.compactMap { $0["name"]?.string } == ["acme"])
            let made = try await office.ask(
                "POST", "admin-keys", #"{"name":"n","role":"owner"}"#, as: "acme")
            #expect(made.json["organization"]?.string == "acme")
            let wide = try await office.ask("GET", "nodes", as: "acme")
            #expect(wide.status == 403 && wide.code == "key_is_bound")
        }
    }

    /// A query that a route cannot do without.
    private static func needed(_ route: AdminRoute) -> String {
        if route.path.hasSuffix("/replay") { return "?tokens=5/day" }
        let names = route.query.filter(\.isRequired).map { "\($0.name)=1" }
        return names.isEmpty ? "" : "?" + names.joined(separator: "&")
    }

    /// A body that a route takes.
    private static func body(_ route: AdminRoute) -> String {
        guard let fields = route.body else { return "" }
        if route.path.hasSuffix("/quotas") { return #"{"tokens":["1/day"]}"# }
        if route.path.hasSuffix("/quotas/clear") { return #"{"tokens":["day"]}"# }
        if route.operation.hasPrefix("patch_organizations_one_keys") { return #"{"clamp":true}"# }
        let members = fields.filter(\.isRequired).map { "\"\($0.name)\":\"x\"" }
        return "{" + members.joined(separator: ",") + "}"
    }

    // MARK: Pages and creations

    @Test func `pages walk a list to its end`() async throws {
        try await withOffice { office in
            for index in 0..<7 {
                _ = try await office.ask("POST", "\(Self.acme)/teams", #"{"name":"t\#(index)"}"#)
            }
            var (names, target): ([String], String?) = ([], "\(Self.acme)/teams?limit=3")
            var pages = 0
            while let path = target {
                let page = try await office.ask("GET", path, as: "auditor")
                names += page.rows.compactMap { $0["team"]?.string }
                let next = page.json["next"]?.string
                #expect(page.json["has_more"]?.bool == (next != nil))
                target = next.map { "\(Self.acme)/teams?limit=3&after=\($0)" }
                pages += 1
            }
            #expect(names == (0..<7).map { "t\($0)" } && pages == 3)
        }
    }

    @Test func `a creation that is repeated makes nothing more and tells no secret again`()
        async throws
    {
        try await withOffice { office in
            _ = try await office.ask("POST", "\(Self.acme)/teams", #"{"name":"t"}"#)
            let creations = [
                ("organizations", #"{"name":"new"}"#, "organization_id"),
                ("\(Self.acme)/teams", #"{"name":"new"}"#, "team_id"),
                ("\(Self.acme)/keys", #"{"team":"t","name":"new"}"#, "key_id"),
                ("admin-keys", #"{"name":"new","role":"auditor"}"#, "admin_key_id"),
            ]
            for (path, body, id) in creations {
                let first = try await office.ask("POST", path, body, once: "same:\(path)")
                #expect(first.status == 201 && first.headers["idempotent-replayed"] == nil)
                let second = try await office.ask("POST", path, body, once: "same:\(path)")
                #expect(second.status == 200, "\(path) \(second.code ?? "")")
                #expect(second.headers["idempotent-replayed"] == "true")
                #expect(second.json[id]?.string == first.json[id]?.string)
                if first.json["key"] != nil {
                    #expect(first.json["key"]?.string != nil)
                    #expect(second.json["key"]?.isNull == true)
                    #expect(second.json["key_note"]?.string != nil)
                }
                let other = try await office.ask("POST", path, body + " ", once: "same:\(path)")
                #expect(other.status == 422 && other.code == "idempotency_key_reused")
            }
            let keys = try await office.ask("GET", "\(Self.acme)/keys")
            #expect(keys.rows.count == 1)
            // Another administrator's same word is a word of its own.
            let theirs = try await office.ask(
                "POST", "\(Self.acme)/keys", #"{"team":"t","name":"new"}"#, as: "operator",
                once: "same:\(Self.acme)/keys")
            #expect(theirs.status == 201)
            let bad = try await office.ask("POST", "organizations", #"{"name":"x"}"#, once: "a b")
            #expect(bad.status == 400 && bad.code == "invalid_idempotency_key")
        }
    }

    @Test func `of creations at the same moment one is made`() async throws {
        try await withOffice { office in
            let bodies = try await withThrowingTaskGroup(of: AdminOffice.Reply.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await office.ask(
                            "POST", "organizations", #"{"name":"race"}"#, once: "race")
                    }
                }
                var all: [AdminOffice.Reply] = []
                for try await reply in group { all.append(reply) }
                return all
            }
            #expect(bodies.count { $0.status == 201 } == 1)
            #expect(bodies.allSatisfy { [200, 201].contains($0.status) })
            #expect(Set(bodies.compactMap { $0.json["organization_id"]?.string }).count == 1)
        }
    }

    // MARK: What goes wrong outside

    @Test func `a ledger that is away is told, and nothing waits for ever`() async throws {
        try await withOffice { office in
            try office.database.takeAway()
            let away = try await office.ask("GET", "organizations")
            #expect(away.status == 503 && away.code == "ledger_unavailable")
            #expect(away.headers["retry-after"] == "1")
            try office.database.bringBack()
            let back = try await office.ask("GET", "organizations")
            #expect(back.status == 200)
        }
    }

    /// Takes a place in the pool, however often it must ask, and keeps it.
    static func hold(
        _ pool: AdministrationPool, until gate: DispatchSemaphore,
        then done: DispatchSemaphore? = nil
    ) async throws {
        while true {
            do throws(AdministrationPool.Obstacle) {
                return try await pool.run { (_: DirectoryStore) -> Void in
                    gate.wait()
                    done?.signal()
                }
            } catch {
                guard case .busy = error else { throw error }
            }
        }
    }

    @Test func `more than the pool has room for is turned away`() async throws {
        try await withOffice { office in
            let gate = DispatchSemaphore(value: 0)
            let room = AdministrationPool.width + AdministrationPool.mostWaiting
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<room {
                    group.addTask { try await Self.hold(office.pool, until: gate) }
                }
                // Until the last of them has its place, another one may still find room.
                while true {
                    let reply = try await office.ask("GET", "organizations", as: "auditor")
                    if reply.status == 503 {
                        #expect(reply.code == "busy" && reply.headers["retry-after"] == "1")
                        break
                    }
                }
                for _ in 0..<room { gate.signal() }
                try await group.waitForAll()
            }
        }
    }
}
