import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite(.served) struct `The admin API` {
        /// One request with an admin key, on a connection of its own.
        private static func ask(
            _ port: Int, _ key: String?, _ method: String, _ path: String, _ body: String = "",
            once: String? = nil
        ) throws -> HTTPReply {
            let connection = try HTTPConnection(port: port)
            let headers =
                ["Content-Type: application/json"] + (once.map { ["Idempotency-Key: \($0)"] } ?? [])
            connection.send(method, "/admin/v1/\(path)", key: key, body: body, headers: headers)
            return try connection.reply()
        }

        private static func adminKey(
            _ gateway: ServedGateway, _ role: String, more: [String] = []
        ) throws -> String {
            let made = try gateway.administer(
                ["admin-key", "create", "--name", "test", "--role", role] + more)
            return try #require(made["key"] as? String)
        }

        @Test(.timeLimit(.minutes(1)))
        func `a team and its key live their whole life over it, and the key calls`() async throws {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let port = gateway.adminPort
                let admin = try Self.adminKey(gateway, "operator")
                let team = try Self.ask(
                    port, admin, "POST", "organizations/default/teams", #"{"name":"by-api"}"#)
                #expect(team.status == 201, "\(team.text)")
                let made = try Self.ask(
                    port, admin, "POST", "organizations/default/keys",
                    #"{"team":"by-api","name":"ci"}"#)
                #expect(made.status == 201 && made.header("cache-control") == "no-store")
                let key = try ServedGateway.IssuedKey(made.json)
                let one = "organizations/default/keys/\(key.id)"
                // What the command tells is what the API tells, but for the note on the secret.
                let shown = try Self.ask(port, admin, "GET", one)
                let told = try gateway.administer(["key", "show", key.id])
                #expect(NSDictionary(dictionary: shown.json) == NSDictionary(dictionary: told))
                let first = try gateway.post(key, ServedGateway.prompt("Hi"))
                #expect(first.status == 200)
                let quota = try Self.ask(
                    port, admin, "PATCH", one + "/quotas", #"{"requests":["1/total"]}"#)
                #expect(quota.status == 200, "\(quota.text)")
                let usage = try Self.ask(
                    port, admin, "GET", "organizations/default/usage?by=key&key=\(key.id)")
                let rows = try #require(usage.json["data"] as? [[String: Any]])
                #expect(rows.first?["requests"] as? Int == 1)
                let request = try #require(first.header("x-request-id"))
                let story = try Self.ask(
                    port, admin, "GET", "organizations/default/requests/\(request)")
                #expect(story.status == 200 && story.json["key"] as? String == key.id)
                let revoked = try Self.ask(port, admin, "POST", one + "/revoke")
                #expect(revoked.status == 200)
                _ = try eventually("the key is refused") { () -> Bool? in
                    try gateway.post(key, ServedGateway.prompt("Hi")).status == 401 ? true : nil
                }
                let id = try #require(admin.split(separator: "_").dropFirst().first)
                let price = try Self.ask(
                    port, admin, "POST", "models/scripted/prices",
                    #"{"prompt":"0.5","completion":1}"#)
                let prices = try #require(price.json["data"] as? [[String: Any]])
                #expect(prices.first?["prompt_nanousd"] as? Int == 500_000_000)
                #expect(prices.first?["set_by"] as? String == "\(id) (test)")
                let denied = try Self.ask(port, admin, "DELETE", one)
                #expect(denied.status == 403 && denied.code == "role_too_low")
                #expect(!gateway.program.written().complaint.contains(key.secret))
                #expect(!gateway.program.written().complaint.contains(admin))
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `an admin key buys nothing, and an API key administers nothing`() async throws {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let admin = try Self.adminKey(gateway, "owner")
                let key = try gateway.makeKey()
                let connection = try HTTPConnection(port: gateway.port)
                connection.send(key: admin, body: ServedGateway.prompt("Hi"))
                let bought = try connection.reply()
                #expect(bought.status == 401)
                let ruled = try Self.ask(
                    gateway.adminPort, key.secret, "GET", "organizations")
                #expect(ruled.status == 401 && ruled.code == "not_an_admin_key")
                // Nothing of it is on the clients' listener.
                let elsewhere = try Self.ask(gateway.port, admin, "GET", "organizations")
                #expect(elsewhere.status == 404)
            }
        }

        @Test(.timeLimit(.minutes(2)))
        func `creations that a crash cuts short and that are repeated are made once`() async throws
        {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: false)
                defer { gateway.discard() }
                let admin = try Self.adminKey(gateway, "owner")
                let port = gateway.adminPort
                _ = try Self.ask(
                    port, admin, "POST", "organizations/default/teams", #"{"name":"crash"}"#)
                let bodies = (0..<60).map { index in
                    switch index % 3 {
                    case 0: ("organizations", #"{"name":"org-\#(index)"}"#)
                    case 1: ("organizations/default/teams", #"{"name":"team-\#(index)"}"#)
                    default:
                        ("organizations/default/keys", #"{"team":"crash","name":"key-\#(index)"}"#)
                    }
                }
                @Sendable func create(_ index: Int) throws -> Int {
                    let (path, body) = bodies[index]
                    return try Self.ask(port, admin, "POST", path, body, once: "c-\(index)").status
                }
                let before = try onThreads(6) { thread -> Int in
                    var answered = 0
                    for index in 0..<bodies.count where index % 6 == thread {
                        // Whoever comes too late finds nobody: that is the crash.
                        guard let status = try? create(index) else { break }
                        answered += status == 201 ? 1 : 0
                        if thread == 0, answered == 3 { gateway.program.signal(SIGKILL) }
                    }
                    return answered
                }
                #expect(before.reduce(0, +) < bodies.count)
                _ = try gateway.program.end()
                let again = try RunningProgram.start(
                    Installation.program(), ["serve", "--config", gateway.configuration])
                defer { again.signal(SIGKILL) }
                _ = try ServedGateway.port(of: again)
                for index in bodies.indices {
                    #expect([200, 201].contains(try create(index)))
                    #expect(try create(index) == 200)
                }
                #expect(try gateway.count("SELECT count(*) FROM organization") == 21)
                #expect(try gateway.count("SELECT count(*) FROM team") == 21)
                #expect(try gateway.count("SELECT count(*) FROM api_key") == 20)
                let names = "SELECT count(DISTINCT name) FROM api_key"
                #expect(try gateway.count(names) == 20)
                #expect(try gateway.count("SELECT count(*) FROM admin_creation") == 60)
            }
        }

        @Test(.timeLimit(.minutes(3)))
        func `schemathesis finds no server error and no answer outside of its description`()
            async throws
        {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: false)
                defer { gateway.discard() }
                let admin = try Self.adminKey(gateway, "owner")
                let end = try RunningProgram.run(
                    Installation.python(), ["\(Installation.scripts)/conform_admin.py", "20"],
                    environment: [
                        "TURNPIKE_ADMIN": "http://127.0.0.1:\(gateway.adminPort)",
                        "TURNPIKE_ADMIN_KEY": admin,
                    ], within: .seconds(120))
                try #require(end.status == 0, "\(end.complaint)")
                let told = try #require(
                    try JSONSerialization.jsonObject(with: Data(end.output.utf8))
                        as? [String: Any])
                let found = told["found"] as? String ?? ""
                #expect(told["status"] as? Int == 0, "\(found.suffix(6000))")
                // What has not been reached has not been checked.
                let calls = try #require(told["calls"] as? [String: Int])
                for answer in [
                    "GET /admin/v1/organizations 200", "GET /admin/v1/organizations 400",
                    "POST /admin/v1/organizations 201", "POST /admin/v1/organizations 400",
                    "POST /admin/v1/admin-keys 201", "GET /admin/v1/audit 200",
                ] {
                    #expect(calls[answer] != nil, "\(answer): \(calls)")
                }
            }
        }

        @Test(.timeLimit(.minutes(2)))
        func `a ledger that is away is told by 503, and comes back`() async throws {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: false)
                defer { gateway.discard() }
                let admin = try Self.adminKey(gateway, "auditor")
                #expect(try Self.ask(gateway.adminPort, admin, "GET", "nodes").status == 200)
                try gateway.database.takeAway()
                let away = try Self.ask(gateway.adminPort, admin, "GET", "nodes")
                #expect(away.status == 503 && away.code == "ledger_unavailable")
                #expect(away.header("retry-after") == "1")
                #expect(try gateway.get(nil, "/healthz", port: gateway.adminPort).status == 200)
                try gateway.database.bringBack()
                let back = try Self.ask(gateway.adminPort, admin, "GET", "nodes")
                #expect(back.status == 200)
            }
        }
    }
}
