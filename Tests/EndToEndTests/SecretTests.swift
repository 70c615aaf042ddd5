import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct `Secrets and prompts` {
        private static let canary = "canary-prompt-7f3a9c"
        private static let user = "canary-user-41d8@example.com"

        @Test(.timeLimit(.minutes(1)))
        func `neither a key nor a prompt is in a log, a file, the process list or the database`()
            async throws
        {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: false)
                var isStopped = false
                defer { if !isStopped { gateway.discard() } }
                let key = try gateway.makeKey(quota: ["--tokens", "10000/day"])
                try Self.use(gateway, key)
                let process = MachineProcesses.commandLine(gateway.program.id)
                #expect(!process.contains(key.secret) && process.contains("serve"))
                // One user of one client, whatever became of the requests.
                let users = "SELECT count(DISTINCT user_hash) FROM usage_user"
                #expect(try gateway.count(users) == 1)
                let dump = try Self.dump(gateway)
                let written = gateway.program.written()
                #expect(written.complaint.contains("req_"), "the log is there: \(written)")
                let files = try Self.files(gateway.folder)
                for needle in try Self.needles(key.secret) {
                    #expect(!dump.contains(needle))
                    for line in (written.complaint + written.output).split(separator: "\n") {
                        #expect(!line.contains(needle))
                    }
                    for (file, text) in files { #expect(!text.contains(needle), "\(file)") }
                }
                isStopped = true
                try gateway.stop()
            }
        }

        /// What must be nowhere: the prompt, the client's own user, the whole key, and its secret part alone; also as a
        /// `bytea` shows them.
        private static func needles(_ secret: String) throws -> [String] {
            let part = try #require(secret.split(separator: "_").last)
            let texts = [canary, user, secret, String(part.prefix(43))]
            return texts
                + texts.map { $0.utf8.map { String($0, radix: 16) }.joined() }
                + texts.map { Data($0.utf8).base64EncodedString() }
        }

        /// Every way in which a key and a prompt come by: served, streamed, refused, failed.
        private static func use(_ gateway: ServedGateway, _ key: ServedGateway.IssuedKey) throws {
            let named = #","user":"\#(user)""#
            let prompt = ServedGateway.prompt(canary, more: named)
            let stream = ServedGateway.prompt(canary, more: #","stream":true"# + named)
            #expect(try gateway.post(key, prompt).status == 200)
            #expect(try gateway.post(key, stream).status == 200)
            let unknown = ServedGateway.prompt(canary, model: "x")
            #expect(try gateway.post(key, unknown).status == 404)
            #expect(try gateway.post(key, prompt + "}").status == 400)
            let bad = ServedGateway.prompt(canary, more: #","temperature":"\#(canary)""#)
            let reply = try gateway.post(key, bad)
            #expect(reply.status == 400 && !reply.text.contains(canary))
            gateway.scripts.write(canary) { _ in
                ScriptedUpstream.Step.json(
                    400, #"{"error":{"message":"bad: \#(canary)","type":"invalid_request_error"}}"#)
            }
            let refused = try gateway.post(key, prompt)
            #expect(refused.status >= 400 && !refused.text.contains(canary), "\(refused.text)")
            gateway.scripts.write(canary) { _ in [.streamHead, .say(canary), .reset] }
            #expect(try gateway.post(key, stream).status == 200)
            let wrong = try HTTPConnection(port: gateway.port)
            wrong.send(key: String(key.secret.dropLast()) + "!", body: prompt)
            #expect(try wrong.reply().status == 401)
            try gateway.administer(["key", "revoke", key.id, "--yes"])
            _ = try eventually("the key is refused") {
                try gateway.post(key, prompt).status == 401 ? true : nil
            }
            let sent = try #require(gateway.upstream.requests.first)
            #expect(sent.header("authorization")?.contains(key.secret) != true)
        }

        /// Every row of every table, as text.
        private static func dump(_ gateway: ServedGateway) throws -> String {
            let tables = try gateway.rows(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            ).compactMap { $0["relname"] }
            #expect(tables.contains("api_key"))
            return try tables.map { table in
                try gateway.rows("SELECT t::text AS row FROM \(table) t")
                    .compactMap { $0["row"] }.joined(separator: "\n")
            }.joined(separator: "\n")
        }

        private static func files(_ folder: String) throws -> [(name: String, text: String)] {
            let names = try FileManager.default.subpathsOfDirectory(atPath: folder)
            return names.compactMap { name in
                FileManager.default.contents(atPath: "\(folder)/\(name)").map {
                    (name, String(decoding: $0, as: UTF8.self))
                }
            }
        }
    }
}
