import Foundation
import Postgres
import TestSupport
import Testing

extension EndToEnd {
    @Suite(.served) struct `Streams over HTTP` {
        @Test(.timeLimit(.minutes(1)))
        func `a client that leaves closes the upstream within 100 ms and pays for what was said`()
            async throws
        {
            let gateway = try ServedGateway.current()
            gateway.scripts.write("leaving") { _ in
                [.streamHead, .say("one"), .say(" two"), .say(" three"), .silence]
            }
            let key = try await onOwnThread {
                try gateway.makeKey(quota: ["--tokens", "10000/day"])
            }
            let left = try await onOwnThread {
                let connection = try HTTPConnection(port: gateway.port)
                connection.send(
                    key: key.secret,
                    body: ServedGateway.prompt("leaving", more: #","stream":true"#))
                #expect(try connection.head().status == 200)
                try connection.read(until: "three")
                defer { connection.close() }
                return ContinuousClock.now
            }
            let upstream = try #require(
                gateway.upstream.requests.last { $0.text.contains("leaving") })
            // Were it never to happen, the upstream would end the wait, and the test would fail.
            DispatchQueue.global().asyncAfter(deadline: .now() + 5) { gateway.upstream.stop() }
            let took = await gateway.upstream.departure(from: upstream.connection) - left
            #expect(took < .milliseconds(100), "closed after \(took)")
            print("The upstream was closed \(took) after the client left.")
            try await onOwnThread {
                let usage = try gateway.settled(key)
                // For the log only: nobody is left to read it.
                _ = try gateway.program.line(containing: "status=499")
                #expect(usage["basis"] == "2" && usage["end_state"] == "3")
                // Three words came through, and each is a token at least.
                #expect(Int(usage["completion_tokens"] ?? "") ?? 0 >= 3)
                #expect(usage["charged"] == "\(try AccountSampler.account(gateway, key).used)")
                #expect(try AccountSampler.account(gateway, key).reserved == 0)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `an upstream that dies in the middle ends the stream with an error and no DONE`()
            async throws
        {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                gateway.scripts.write("dying") { _ in
                    [.streamHead, .say("one"), .say(" two"), .reset]
                }
                let key = try gateway.makeKey()
                let reply = try gateway.post(
                    key, ServedGateway.prompt("dying", more: #","stream":true"#))
                #expect(reply.status == 200)
                #expect(!reply.text.contains("[DONE]"))
                let last = try #require(reply.events.last)
                let event = HTTPReply(status: 0, headers: [], body: Array(last.utf8))
                #expect(event.isEnvelope && event.code == "upstream_unavailable", "\(reply.text)")
                let usage = try gateway.settled(key)
                #expect(usage["basis"] == "2" && usage["end_state"] == "4")
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `an upstream that says more than it may is cut at the bound and charged no more`()
            async throws
        {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                gateway.scripts.write("lying") { _ in
                    [.streamHead] + (0..<200).map { .say(" word\($0)") }
                        + ScriptedUpstream.Step.finish(prompt: 5, completion: 100_000)
                }
                let key = try gateway.makeKey(quota: ["--tokens", "10000/day"])
                let reply = try gateway.post(
                    key,
                    ServedGateway.prompt(
                        "lying",
                        more:
                            #","stream":true,"max_tokens":20,"stream_options":{"include_usage":true}"#
                    ))
                #expect(reply.status == 200)
                #expect(reply.text.contains(#""finish_reason":"length""#), "\(reply.text)")
                #expect(reply.events.last == "[DONE]")
                #expect(!reply.text.contains("word20"))
                let usage = try gateway.settled(key)
                #expect(usage["end_state"] == "2")
                #expect(Int(usage["completion_tokens"] ?? "") ?? 99 <= 20, "\(usage)")
                let sent = try #require(
                    gateway.upstream.requests.last { $0.text.contains("lying") })
                #expect(sent.text.contains(":20"), "the bound is forwarded: \(sent.text)")
                #expect(sent.text.contains(#""include_usage":true"#))
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `a lying usage block is charged at the bound, the rest is kept as overage`()
            async throws
        {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let lie = ScriptBook.answer("Short.", prompt: 5, completion: 90_000)
                gateway.scripts.write("boasting") { _ in lie }
                let key = try gateway.makeKey(quota: ["--tokens", "10000/day"])
                let reply = try gateway.post(
                    key, ServedGateway.prompt("boasting", more: #","max_tokens":20"#))
                #expect(reply.status == 200 || reply.status == 502, "\(reply.text)")
                let usage = try gateway.settled(key)
                #expect(Int(usage["charged"] ?? "") ?? .max <= 10_000, "\(usage)")
                let account = try AccountSampler.account(gateway, key)
                #expect("\(account.used)" == usage["charged"] && account.reserved == 0)
                // Told to nobody as a stop: the ledger's own alarm counts it.
                try gateway.forgetOverage(key)
            }
        }

        // Nobody knows when its first token was there: by the clock it came with the last.
        @Test(.timeLimit(.minutes(1)))
        func `an answer that comes in one piece tells the rate of all of it`() async throws {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let whole = ScriptBook.answer("All of it.", prompt: 5, completion: 50)
                gateway.scripts.write("at once") { _ in whole }
                let reply = try gateway.post(gateway.makeKey(), ServedGateway.prompt("at once"))
                let usage = try #require(reply.json["usage"] as? [String: Any])
                let rate = try #require(usage["throughput_after_first_token"] as? Double)
                let seconds = try #require(usage["model_execution_time"] as? Double)
                #expect(abs(rate * seconds - 50) < 0.5, "\(usage)")
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `a stream has one id, a role first, one finish, and usage only when asked for`()
            async throws
        {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey()
                for asks in [false, true] {
                    let more = asks ? #","stream_options":{"include_usage":true}"# : ""
                    let reply = try gateway.post(
                        key, ServedGateway.prompt("Hi", more: #","stream":true\#(more)"#))
                    #expect(reply.status == 200 && reply.rateLimitHeaders == 6)
                    #expect(
                        reply.header("content-type")?.hasPrefix("text/event-stream") == true)
                    #expect(reply.events.last == "[DONE]")
                    let chunks = reply.events.dropLast().map {
                        HTTPReply(status: 0, headers: [], body: Array($0.utf8))
                    }
                    #expect(Set(chunks.map { $0.json["id"] as? String ?? "" }).count == 1)
                    #expect(chunks.first?.text.contains(#""role":"assistant""#) == true)
                    #expect(chunks.count { $0.text.contains(#""finish_reason":"stop""#) } == 1)
                    #expect(chunks.count { $0.usage != nil } == (asks ? 1 : 0))
                    if asks { #expect(chunks.last?.usage ?? (0, 0, 0) == (7, 3, 10)) }
                }
            }
        }
    }
}

extension HTTPConnection {
    /// Reads pieces of a body until they contain `text`; returns all of them.
    @discardableResult
    func read(until text: String) throws -> String {
        var seen = ""
        while !seen.contains(text) {
            guard let piece = try piece() else {
                throw Failure(description: "the body ended before '\(text)': \(seen)")
            }
            seen += String(decoding: piece, as: UTF8.self)
        }
        return seen
    }
}

extension ServedGateway {
    /// The key's only usage record, once there is one and nothing is open.
    func settled(_ key: IssuedKey) throws -> [String: String] {
        let of = "JOIN api_key k USING (shard, key_id) WHERE k.name = '\(key.name)'"
        let rows = try eventually("one request is settled") { () -> [[String: String]]? in
            let open = try count("SELECT count(*) FROM reservation \(of)")
            let rows = try self.rows("SELECT usage.* FROM usage \(of)")
            return open == 0 && !rows.isEmpty ? rows : nil
        }
        #expect(rows.count == 1)
        return rows[0]
    }

    /// Takes a test's own lie out of what ``stop()`` looks at.
    func forgetOverage(_ key: IssuedKey) throws {
        let connection = try database.connection()
        defer { connection.close() }
        try connection.execute(
            script: """
                UPDATE usage u SET overage = 0 FROM api_key k
                WHERE u.key_id = k.key_id AND k.name = '\(key.name)'
                """)
    }
}
