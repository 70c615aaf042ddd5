import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct `A route with a shadow` {
        /// The backends know the model as `seen` and as `unseen`.
        private static let route = """
              shadowed:
                backends: [{ name: upstream, upstream_model: seen }]
                shadow: { backend: official, percent: 100, upstream_model: unseen }
                context_tokens: 4096
                max_completion_tokens: 512
                price: { prompt_usd_per_mtok: 1, completion_usd_per_mtok: 10 }

            """

        /// The records of a team's requests, once there are so many.
        private static func records(
            _ gateway: ServedGateway, of team: String, count: Int
        ) throws -> [[String: String]] {
            try eventually("\(team) has \(count) records") {
                let rows = try gateway.rows(
                    """
                    SELECT u.*, b.name AS backend FROM usage u JOIN api_key k USING (shard, key_id)
                    JOIN team t ON t.shard = k.shard AND t.team_id = k.team_id
                    JOIN backend b ON b.shard = u.shard AND b.backend_id = u.backend_id
                    WHERE t.name = '\(team)'
                    """)
                return rows.count >= count ? rows : nil
            }
        }

        private static func copies(_ gateway: ServedGateway) -> Int {
            gateway.upstream.requests.count { $0.text.contains(#""model":"unseen""#) }
        }

        private static func ask(
            _ gateway: ServedGateway, _ key: ServedGateway.IssuedKey, more: String = ""
        ) throws -> HTTPReply {
            let reply = try gateway.post(
                key, ServedGateway.prompt("Hi", model: "shadowed", more: more))
            #expect(reply.status == 200 && !reply.text.contains("Secret"), "\(reply.text)")
            return reply
        }

        @Test(.timeLimit(.minutes(1)))
        func `copies every request for the operator's account, and its client knows nothing of it`()
            async throws
        {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: false, settings: Self.route)
                defer { gateway.discard() }
                gateway.scripts.write(#""model":"unseen""#) { request in
                    request.text.contains(#""stream":true"#)
                        ? [.streamHead, .say("Secret")] + .finish(prompt: 50, completion: 60)
                        : ScriptBook.answer("Secret.", prompt: 50, completion: 60)
                }
                let key = try gateway.makeKey(
                    quota: ["--tokens", "100000/day", "--cost", "1usd/day"])
                let whole = try Self.ask(gateway, key)
                #expect(whole.usage?.total == 10 && whole.text.contains("Good day."))
                let stream = try Self.ask(gateway, key, more: #","stream":true"#)
                #expect(stream.events.last == "[DONE]" && stream.text.contains("Good"))
                let own = try Self.records(gateway, of: key.team, count: 2)
                #expect(own.count == 2 && own.allSatisfy { $0["backend"] == "upstream" })
                // 7 tokens for a dollar and 3 for ten dollars a million.
                #expect(own.allSatisfy { $0["cost_nanousd"] == "37000" }, "\(own)")
                let paid = try Self.records(gateway, of: "copies", count: 2)
                #expect(paid.count == 2 && paid.allSatisfy { $0["backend"] == "official" })
                #expect(paid.allSatisfy { $0["completion_tokens"] == "60" }, "\(paid)")
                #expect(Self.copies(gateway) == 2)
                let account = try AccountSampler.account(gateway, key)
                #expect(account.used == 20 && account.reserved == 0)
                // Operators find the copy by the log line of its request.
                let line = try gateway.program.line(containing: "shadow_request_id=req_")
                let id = line.split(separator: " ").first { $0.contains("shadow_request_id=") }
                let copy = String(id?.split(separator: "=").last ?? "")
                let story = try gateway.administer(["explain", copy])
                #expect(story["backend"] as? String == "official", "\(story)")
                #expect(try gateway.admin(["audit"]).status == 0)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `that fails costs its request nothing, and is not tried again`() async throws {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: false, settings: Self.route)
                defer { gateway.discard() }
                let key = try gateway.makeKey(quota: ["--tokens", "100000/day"])
                let failures: [[ScriptedUpstream.Step]] = [
                    [.head(500, [("content-length", "0")])], [.reset],
                ]
                for (number, steps) in failures.enumerated() {
                    gateway.scripts.write(#""model":"unseen""#) { _ in steps }
                    _ = try Self.ask(gateway, key)
                    // It is void, and not tried again.
                    let records = try Self.records(gateway, of: "copies", count: number + 1)
                    #expect(records.count == number + 1)
                    #expect(records.allSatisfy { $0["charged"] == "0" }, "\(records)")
                    if number == 0 { #expect(Self.copies(gateway) == 1) }
                }
                let own = try Self.records(gateway, of: key.team, count: 2)
                #expect(own.count == 2 && own.allSatisfy { $0["charged"] == "10" }, "\(own)")
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `whose payer's quota is used up makes no copies, and its requests go on`() async throws
        {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: false, settings: Self.route)
                defer { gateway.discard() }
                // Before its key is used for the first time, so that nothing older is known of it.
                try gateway.administer(["quota", "set", "--team", "copies", "--tokens", "1/total"])
                let key = try gateway.makeKey(quota: ["--tokens", "100000/day"])
                for _ in 0..<3 { _ = try Self.ask(gateway, key) }
                let own = try Self.records(gateway, of: key.team, count: 3)
                #expect(own.count == 3 && own.allSatisfy { $0["charged"] == "10" }, "\(own)")
                // A copy would have been sent before its request was.
                #expect(Self.copies(gateway) == 0)
                #expect(try gateway.count("SELECT count(*) FROM usage") == 3)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `takes as many as the file says now`() async throws {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: false, settings: Self.route)
                defer { gateway.discard() }
                let key = try gateway.makeKey()
                let file = try String(contentsOfFile: gateway.configuration, encoding: .utf8)
                func setPercent(_ percent: Int) throws {
                    let text = file.replacing("percent: 100", with: "percent: \(percent)")
                    let before = gateway.program.written().complaint.count
                    try Data(text.utf8).write(to: URL(filePath: gateway.configuration))
                    _ = try eventually("percent is \(percent)") {
                        gateway.program.written().complaint.dropFirst(before)
                            .contains("changed=shadowed") ? true : nil
                    }
                }
                try setPercent(0)
                for _ in 0..<10 { _ = try Self.ask(gateway, key) }
                try setPercent(100)
                _ = try Self.ask(gateway, key)
                // Only the last has one, and copies go out in the order of their requests.
                #expect(try Self.records(gateway, of: "copies", count: 1).count == 1)
                #expect(Self.copies(gateway) == 1)
            }
        }
    }
}
