import JSON
import Testing

@testable import Admin

/// The record of actions and the events over the admin HTTP API.
@Suite struct `The admin API's records` {
    private static let acme = "organizations/acme"

    @Test func `the record of actions is read page by page, and events likewise`() async throws {
        try await AdminOffice.open { office in
            for number in 1...3 {
                _ = try await office.ask(
                    "POST", "\(Self.acme)/teams", "{\"name\":\"t\(number)\"}")
            }
            let path = "\(Self.acme)/actions"
            let first = try await office.ask(
                "GET", "\(path)?action=team.create&limit=2", as: "auditor")
            #expect(first.rows.compactMap { $0["subject"]?.string } == ["t3", "t2"])
            let last = try #require(first.rows.last?["action_id"]?.string)
            let rest = try await office.ask(
                "GET", "\(path)?action=team.create&limit=2&before=\(last)", as: "acme")
            #expect(rest.rows.compactMap { $0["subject"]?.string } == ["t1"])
            let shown = try await office.ask("GET", "\(path)/\(last)", as: "acme")
            #expect(shown.status == 200 && shown.json["subject"]?.string == "t2")
            // Another organization's key finds neither the list nor the action.
            let others = try await office.ask("GET", "organizations/other/actions", as: "other")
            #expect(others.rows.allSatisfy { $0["organization"]?.string == "other" })
            let foreign = try await office.ask(
                "GET", "organizations/other/actions/\(last)", as: "other")
            let absent = try await office.ask(
                "GET", "organizations/other/actions/00000000001", as: "other")
            #expect(foreign.status == 404 && absent.status == 404)
            let all = try await office.ask("GET", "actions?since=1d", as: "auditor")
            let owners = all.rows.compactMap { $0["organization"]?.string }
            #expect(owners.contains("acme"))
            let one = try await office.ask("GET", "actions/\(last)")
            #expect(one.json["action_id"]?.string == last)
            let bad = try await office.ask("GET", "\(path)?limit=0")
            #expect(bad.status == 400)
            let events = try await office.ask("GET", "\(Self.acme)/events?state=dead&limit=5")
            #expect(events.status == 200 && events.rows.isEmpty)
            let dead = try await office.ask(
                "POST", "\(Self.acme)/events/redeliver-dead", "{}", as: "operator")
            #expect(dead.status == 200 && dead.json["deliveries"]?.integer == 0)
            let missing = "\(Self.acme)/events/evt_00AlqZbMgwK9rWkUZt3xBc"
            for (method, path) in [("GET", missing), ("POST", missing + "/redeliver")] {
                let reply = try await office.ask(method, path, method == "GET" ? "" : "{}")
                #expect(reply.status == 404, "\(path)")
            }
            let test = try await office.ask("POST", "\(Self.acme)/events/test", "{}")
            #expect(test.status >= 400 && test.json["error"] != nil)
        }
    }
}
