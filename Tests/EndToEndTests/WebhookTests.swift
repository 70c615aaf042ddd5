import Foundation
import Postgres
import Synchronization
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct `Quotas that near their end` {
        /// A receiver that does to each message what `answer` says of how many came before it.
        private static func receiver(
            _ answer: @escaping @Sendable (Int) -> [ScriptedUpstream.Step]
        ) throws -> ScriptedUpstream {
            let count = Mutex(0)
            return try ScriptedUpstream { _ in
                answer(
                    count.withLock { count in
                        defer { count += 1 }
                        return count
                    })
            }
        }

        private static let taken: [ScriptedUpstream.Step] = [.head(204, [("content-length", "0")])]

        private static func settings(_ receiver: ScriptedUpstream, more: String = "") -> String {
            """
            webhooks:
              ops:
                url: http://127.0.0.1:\(receiver.port)/hook
                secret_env: TURNPIKE_TEST_HOOK
                allow_private_addresses: true
                backoff: 100ms
                \(more)
            """
        }

        /// Has Python's own library check a message's signature; returns the type it names.
        private static func verify(_ request: ScriptedUpstream.Request) throws -> String {
            let script = "\(Installation.scripts)/verify_webhook.py"
            let text = [
                ServedGateway.webhookSecret, request.header("webhook-id") ?? "",
                request.header("webhook-timestamp") ?? "",
                request.header("webhook-signature") ?? "", request.text,
            ].joined(separator: "\n")
            let file = FileManager.default.temporaryDirectory
                .appending(path: "turnpike-message-\(UUID().uuidString)").path
            try Data(text.utf8).write(to: URL(filePath: file))
            defer { try? FileManager.default.removeItem(atPath: file) }
            let end = try RunningProgram.run(
                "/bin/sh",
                ["-c", "exec \"$0\" \"$1\" < \"$2\"", Installation.python(), script, file])
            try #require(end.status == 0, "\(end.complaint)")
            return end.output.trimmingCharacters(in: .whitespacesAndNewlines)
        }

        private static func data(_ request: ScriptedUpstream.Request) throws -> [String: Any] {
            let whole = try JSONSerialization.jsonObject(with: Data(request.body))
            return try #require((whole as? [String: Any])?["data"] as? [String: Any])
        }

        @Test(.timeLimit(.minutes(2)))
        func `answers carry a warning from 80 per cent on, and a webhook is told at 80 and 100`()
            async throws
        {
            try await onOwnThread {
                let receiver = try Self.receiver { _ in Self.taken }
                defer { receiver.stop() }
                let gateway = try ServedGateway.start(
                    withEngine: false, settings: Self.settings(receiver))
                let key = try gateway.makeKey(quota: ["--requests", "5/day"])
                let other = try gateway.makeKey(quota: ["--requests", "100/day"])
                func warning(_ key: ServedGateway.IssuedKey) throws -> (Int, String?) {
                    let reply = try gateway.post(key, ServedGateway.prompt("Hi"))
                    return (reply.status, reply.header("x-turnpike-quota-warning"))
                }
                for _ in 0..<3 {
                    let (status, text) = try warning(key)
                    #expect(status == 200 && text == nil, "\(status) \(text ?? "")")
                }
                let item = "key;resource=requests;period=day;used="
                // An answer that is sent whole has been counted by then.
                let (fourth, nearEnd) = try warning(key)
                #expect(fourth == 200 && nearEnd == "\(item)80;limit=5", "\(nearEnd ?? "none")")
                for status in [200, 429] {
                    let (told, atEnd) = try warning(key)
                    #expect(told == status && atEnd == "\(item)100;limit=5", "\(atEnd ?? "")")
                }
                #expect(try warning(other) == (200, nil))
                let messages = try eventually("both messages are there", within: .seconds(20)) {
                    receiver.requests.count >= 2 ? receiver.requests : nil
                }
                #expect(
                    try messages.map(Self.verify).sorted() == ["quota.exhausted", "quota.warning"])
                for message in messages {
                    let data = try Self.data(message)
                    #expect(data["key_id"] as? String == key.id && data["limit"] as? Int == 5)
                    #expect(data["organization"] as? String == "default")
                    #expect(message.path == "/hook" && message.header("user-agent") == "turnpike")
                }
                let rows = try #require(
                    try gateway.administer(["event", "list"])["rows"] as? [[String: Any]])
                #expect(rows.map { $0["state"] as? String } == ["delivered", "delivered"])
                let ids = messages.map { $0.header("webhook-id") }
                #expect(Set(rows.map { $0["event_id"] as? String }) == Set(ids))
                // Nothing comes a second time.
                _ = try eventually("a review has passed", within: .seconds(20)) {
                    try warning(other).0 == 200 ? true : nil
                }
                #expect(receiver.requests.count == 2)
                try gateway.stop()
            }
        }

        @Test(.timeLimit(.minutes(2)))
        func
            `a gateway that is killed while the receiver hangs leaves the message to the next one`()
            async throws
        {
            try await onOwnThread {
                let receiver = try Self.receiver { $0 == 0 ? [.silence] : Self.taken }
                defer { receiver.stop() }
                let gateway = try ServedGateway.start(
                    withEngine: false, settings: Self.settings(receiver, more: "timeout: 60s"))
                defer { gateway.discard() }
                try gateway.administer(["event", "test"])
                let first = try eventually("the message is sent", within: .seconds(20)) {
                    receiver.requests.first
                }
                gateway.program.signal(SIGKILL)
                _ = try gateway.program.end()
                let pending = try gateway.rows("SELECT state, attempts FROM event_delivery")
                #expect(pending == [["state": "1", "attempts": "1"]])
                let next = try RunningProgram.start(
                    Installation.program(), ["serve", "--config", gateway.configuration],
                    environment: ["TURNPIKE_TEST_HOOK": ServedGateway.webhookSecret])
                defer { next.signal(SIGKILL) }
                _ = try ServedGateway.port(of: next)
                // The killed one's claim lasts a minute and a half; nobody else sends it meanwhile.
                #expect(receiver.requests.count == 1)
                let connection = try gateway.database.connection()
                defer { connection.close() }
                try connection.execute(script: "UPDATE event_delivery SET due_at = now()")
                let second = try eventually("the message is sent again", within: .seconds(20)) {
                    receiver.requests.count > 1 ? receiver.requests[1] : nil
                }
                #expect(first.header("webhook-id") == second.header("webhook-id"))
                #expect(first.text == second.text)
                #expect(try Self.verify(second) == "webhook.test")
                _ = try eventually("it is noted", within: .seconds(20)) {
                    try gateway.count("SELECT count(*) FROM event_delivery WHERE state = 2") == 1
                        ? true : nil
                }
            }
        }

        @Test(.timeLimit(.minutes(2)))
        func `what no receiver takes is dead after its tries, and goes out again when asked for`()
            async throws
        {
            try await onOwnThread {
                let receiver = try Self.receiver {
                    $0 < 2 ? ScriptedUpstream.Step.json(500, "{}") : Self.taken
                }
                defer { receiver.stop() }
                let gateway = try ServedGateway.start(
                    withEngine: false, settings: Self.settings(receiver, more: "attempts: 2"))
                defer { gateway.discard() }
                try gateway.administer(["event", "test", "--webhook", "ops"])
                func events(_ state: String) throws -> [[String: Any]] {
                    try gateway.administer(["event", "list", "--state", state])["rows"]
                        as? [[String: Any]] ?? []
                }
                let dead = try eventually("it is given up", within: .seconds(20)) {
                    try events("dead").first
                }
                #expect(dead["tries"] as? Int == 2 && dead["status"] as? Int == 500)
                #expect(receiver.requests.count == 2)
                let again = try gateway.administer(["event", "redeliver", "--dead"])
                #expect(again["deliveries"] as? Int == 1)
                _ = try eventually("it is delivered", within: .seconds(20)) {
                    try events("delivered").isEmpty ? nil : true
                }
                #expect(Set(receiver.requests.map { $0.header("webhook-id") }).count == 1)
                #expect(try gateway.admin(["event", "test", "--webhook", "none"]).status == 1)
                #expect(try gateway.admin(["event", "show", "nonsense"]).status == 2)
            }
        }
    }
}
