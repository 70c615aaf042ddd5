import Dispatch
import Domain
import JSON
import Ledger
import Postgres
import TestSupport
import Testing

@testable import Admin

/// The books over the admin HTTP API: exports that stream, comparisons, replays and repricings.
@Suite struct `The admin API's books` {
    private static let acme = "organizations/acme"
    private static let export = "\(acme)/usage/export"

    /// Gives acme a key that has made so many requests just now; its id.
    @discardableResult
    private static func fill(_ office: AdminOffice, requests: Int) async throws -> String {
        _ = try await office.ask("POST", "\(acme)/teams", #"{"name":"t"}"#)
        let made = try await office.ask("POST", "\(acme)/keys", #"{"team":"t","name":"=1+1"}"#)
        let key = try #require(made.json["key_id"]?.string)
        let id = try #require(KeyID(key))
        let store = try DirectoryStore(
            url: office.database.url, random: LedgerRandom { .random(in: 0 ... .max) },
            author: ActionAuthor(way: .gateway, name: "gateway a"))
        defer { store.connection.close() }
        _ = try store.prices.register(file: ["tiny": [:]])
        let shard = id.shard.rawValue
        let model = "(SELECT model_id FROM model WHERE shard = 0 AND name = 'tiny')"
        try store.connection.execute(
            script: """
                INSERT INTO model (shard, model_id, name) VALUES (\(shard), \(model), 'tiny')
                ON CONFLICT DO NOTHING;
                INSERT INTO usage (shard, day, request_id, key_id, model_id, backend_id,
                    prompt_tokens, cached_tokens, cache_write_tokens, completion_tokens,
                    reasoning_tokens, charged, cost_nanousd, basis, end_state, account_ids, charges,
                    node_id, admitted_at, settled_at, duration_us)
                SELECT \(shard), (now() AT TIME ZONE 'UTC')::date,
                    ('01900000-0000-7000-8000-' || lpad(to_hex(g), 12, '0'))::uuid,
                    \(id.databaseValue), \(model), 1, 10, 0, 0, 5, 0, 15, 7, 1, 1, '{}', '{}', 1, now(),
                    now(), 1000
                FROM generate_series(1, \(requests)) g;
                INSERT INTO usage_hour (shard, hour, key_id, model_id, node_id, requests,
                    failed_requests, prompt_tokens, cached_tokens, cache_write_tokens,
                    completion_tokens, reasoning_tokens, charged, overage, cost_nanousd)
                VALUES (\(shard), date_trunc('hour', now()), \(id.databaseValue), \(model), 1, \(requests),
                    0, 0, 0, 0, 0, 0, 0, 0, 0);
                """)
        return key
    }

    /// All of an answer, its pieces too; nil where it breaks off.
    private static func whole(_ response: AdminResponse) async -> (text: String, pieces: Int)? {
        var (bytes, count) = (response.body, 0)
        while let pieces = response.pieces {
            switch await pieces.next() {
            case .bytes(let more):
                bytes += more
                count += 1
            case .end: return (String(decoding: bytes, as: UTF8.self), count)
            case .broken: return nil
            }
        }
        return (String(decoding: bytes, as: UTF8.self), count)
    }

    @Test func `an export streams every record once, page by page, in both forms`() async throws {
        try await AdminOffice.open { office in
            try await Self.fill(office, requests: 11_000)
            let lines = await office.send("GET", Self.export + "?since=1d", as: "auditor")
            #expect(lines.status == 200 && lines.contentType == "application/jsonl")
            #expect(lines.headers.contains { $0 == ("x-turnpike-records", "11000") })
            let (text, pieces) = try #require(await Self.whole(lines))
            // More than one page of records behind the first.
            #expect(pieces >= 2)
            let rows = text.split(separator: "\n")
            #expect(rows.count == 11_000 && Set(rows).count == 11_000)
            let first = try JSONParser(
                maximumBytes: 1 << 16, maximumDepth: 4, maximumNodes: 100
            ).parse(Array(rows[0].utf8)).root
            #expect(first.members.map(\.key) == ExportView.names)
            #expect(first["key_name"]?.string == "=1+1")
            let csv = await office.send("GET", Self.export + "?since=1d&format=csv", as: "acme")
            #expect(csv.contentType.hasPrefix("text/csv"))
            let file = try #require(await Self.whole(csv))
            let records = file.text.split(separator: "\r\n")
            #expect(records.count == 11_001)
            #expect(records[0] == ExportView.names.joined(separator: ",")[...])
            // A name is no formula of the spreadsheet that opens it.
            #expect(records[1].contains(",'=1+1,"))
            let none = await office.send("GET", Self.export + "?since=1d&tag=a=1&tag=b=2")
            #expect(try #require(await Self.whole(none)).text.isEmpty)
        }
    }

    @Test func `what is wrong with an export from the start has a status of its own`()
        async throws
    {
        try await AdminOffice.open { office in
            let old = await office.send("GET", Self.export, takesPieces: false)
            #expect(old.status == 400 && old.pieces == nil)
            for (target, status, code) in [
                (Self.export + "?team=none", 404, "not_found"),
                (Self.export + "?by=day", 400, "unknown_field"),
                (Self.export + "?since=never", 400, "invalid_value"),
                ("organizations/other/usage/export", 404, "not_found"),
            ] {
                let reply = try await office.ask("GET", target, as: "acme")
                #expect(reply.status == status && reply.code == code, "\(target)")
            }
            try office.database.takeAway()
            let away = try await office.ask("GET", Self.export)
            #expect(away.status == 503 && away.code == "ledger_unavailable")
            try office.database.bringBack()
        }
    }

    @Test func `an export that its ledger or its key leaves breaks off, and does not end`()
        async throws
    {
        try await AdminOffice.open { office in
            try await Self.fill(office, requests: 5001)
            let cut = await office.send("GET", Self.export)
            #expect(cut.status == 200)
            try office.database.takeAway()
            #expect(await cut.pieces?.next() == .broken)
            try office.database.bringBack()
            let made = try await office.ask(
                "POST", "admin-keys", #"{"name":"n","role":"auditor"}"#)
            let key = try #require(made.json["key"]?.string)
            let id = try #require(made.json["admin_key_id"]?.string)
            let revoked = await office.send("GET", Self.export, as: key)
            #expect(revoked.status == 200)
            _ = try await office.ask("POST", "admin-keys/\(id)/revoke")
            #expect(await revoked.pieces?.next() == .broken)
        }
    }

    @Test func `an export waits while others have the pool, and goes on`() async throws {
        try await AdminOffice.open { office in
            try await Self.fill(office, requests: 5001)
            let started = await office.send("GET", Self.export)
            let (gate, done) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            let room = AdministrationPool.width + AdministrationPool.mostWaiting
            // Where it would wait a second, the others finish.
            office.hook.set {
                for _ in 0..<room { gate.signal() }
                for _ in 0..<room { done.wait() }
                office.hook.set {}
            }
            let piece = try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<room {
                    group.addTask {
                        try await `The admin API on a real ledger`.hold(
                            office.pool, until: gate, then: done)
                    }
                }
                while true {
                    let reply = try await office.ask("GET", "organizations", as: "auditor")
                    if reply.status == 503 { break }
                }
                let piece = await started.pieces?.next()
                try await group.waitForAll()
                return piece
            }
            guard case .bytes(let bytes) = piece else {
                Issue.record("it broke off")
                return
            }
            let rest = try #require(await Self.whole(started)).text
            let lines = String(decoding: bytes, as: UTF8.self) + rest
            #expect(lines.utf8.count { $0 == UInt8(ascii: "\n") } == 5001)
        }
    }

    @Test func `a provider's export is held against the ledger, and nothing is changed`()
        async throws
    {
        try await AdminOffice.open { office in
            let before = try await office.ask("GET", "actions?limit=1000")
            for file in [`Usage exports`.openAICSV, `Usage exports`.openAIJSON] {
                let reply = try await office.ask(
                    "POST", "reconcile?backend=local&tolerance=0.5%25", file, as: "auditor")
                #expect(reply.status == 200 && reply.json["passes"]?.bool == false)
                #expect(reply.json["reason"]?.string?.contains("differ") == true)
                let requests = reply.rows.first {
                    $0["class"]?.string == "requests" && $0["time"]?.isNull == true
                }
                #expect(requests?["here"]?.integer == 0 && requests?["there"]?.integer == 4)
            }
            let broken = try await office.ask(
                "POST", "reconcile?backend=local",
                `Usage exports`.openAICSV.replacing(",400,600", with: ",-1,600"))
            #expect(broken.json["reason"]?.string?.contains("Line 2: ") == true)
            let nobody = try await office.ask("POST", "reconcile", `Usage exports`.openAICSV)
            #expect(nobody.status == 400)
            for file in ["nonsense", "{}", "[", "\0\0"] {
                let reply = try await office.ask("POST", "reconcile?backend=local", file)
                #expect(reply.status == 422 && reply.code == "file_refused", "\(file)")
            }
            let bound = try await office.ask(
                "POST", "reconcile", `Usage exports`.openAICSV, as: "acme")
            #expect(bound.status == 403)
            let after = try await office.ask("GET", "actions?limit=1000")
            #expect(after.rows.count == before.rows.count)
        }
    }

    @Test func `a limit is tried on the past of each level`() async throws {
        try await AdminOffice.open { office in
            let key = try await Self.fill(office, requests: 100)
            for subject in ["", "/teams/t", "/keys/\(key)"] {
                let path = "\(Self.acme)\(subject)/quotas/replay"
                let reply = try await office.ask("GET", path + "?requests=60/total", as: "auditor")
                #expect(reply.status == 200, "\(reply.code ?? "")")
                #expect(reply.rows.first?["served_requests"]?.integer == 60)
                #expect(reply.rows.first?["refused_requests"]?.integer == 40)
                for wrong in ["", "?requests=1/day&tokens=1/day", "?requests=1/minute"] {
                    let refused = try await office.ask("GET", path + wrong, as: "auditor")
                    #expect(refused.status == 400, "\(wrong)")
                }
            }
            let latency = try await office.ask(
                "GET", "\(Self.acme)/usage/latency?since=1d&by=key", as: "auditor")
            #expect(latency.rows.first?["duration_p50_us"]?.integer == 1000)
        }
    }

    @Test func `a repricing is shown to an auditor, and done by an operator`() async throws {
        try await AdminOffice.open { office in
            try await Self.fill(office, requests: 3)
            let priced = try await office.ask(
                "POST", "models/tiny/prices", #"{"prompt":"2.50","completion":"10"}"#)
            let version = try #require(priced.rows.first?["price_version"]?.string)
            let path = "models/tiny/reprice"
            let shown = try await office.ask(
                "GET", "\(path)?since=1d&price_version=\(version)", as: "auditor")
            #expect(shown.status == 200 && shown.rows.first?["records"]?.integer == 3)
            let body = "{\"since\":\"1d\",\"price_version\":\"\(version)\"}"
            let denied = try await office.ask("POST", path, body, as: "auditor")
            #expect(denied.status == 403)
            let done = try await office.ask("POST", path, body, as: "operator")
            #expect(done.status == 200 && done.json["records"]?.integer == 3)
            // 10 prompt tokens at 2,500 nano-dollars and 5 others at 10,000, instead of 7.
            #expect(done.json["difference_nanousd"]?.integer == 224_979)
            let again = try await office.ask("POST", path, body, as: "operator")
            #expect(again.json["records"]?.integer == 0)
            let later = try await office.ask(
                "POST", path, "{\"since\":\"2999-01-01\",\"price_version\":\"\(version)\"}")
            #expect(later.status == 400)
            let unknown = try await office.ask(
                "GET", "models/none/reprice?since=1d&price_version=\(version)")
            #expect(unknown.status == 404)
        }
    }
}
