import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What answers of Anthropic's API cost.
    @Suite(.servedWithMessages) struct `What Anthropic's counts are charged as` {
        private static func ask(
            _ word: String, _ more: String = #","max_tokens":64"#
        ) -> String {
            ServedGateway.prompt(word, model: "claude", more: more)
        }

        @Test(.timeLimit(.minutes(1)), arguments: [false, true])
        func `each class of tokens has its price, and the whole prompt is counted`(
            streams: Bool
        ) async throws {
            let gateway = try ServedGateway.current()
            MessagesScripts.write(to: gateway.scripts)
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--tokens", "1000000/day"])
                let stream = streams ? #","stream":true"# : ""
                let reply = try gateway.post(
                    key, Self.ask("messages-everything", #","max_tokens":64\#(stream)"#))
                #expect(reply.status == 200, "\(reply.text)")
                #expect(!reply.text.contains(ScriptedMessage.secret))
                let usage = try gateway.settled(key)
                #expect(usage["prompt_tokens"] == "36" && usage["completion_tokens"] == "40")
                #expect(usage["cached_tokens"] == "16" && usage["cache_write_tokens"] == "8")
                #expect(usage["reasoning_tokens"] == "11" && usage["basis"] == "1", "\(usage)")
                // 12 at 3, 16 at 0.30, 8 at 3.75 and 40 at 15 dollars a million.
                #expect(usage["cost_nanousd"] == "670800", "\(usage)")
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `who leaves a stream pays the prompt as the upstream counted it`() async throws {
            let gateway = try ServedGateway.current()
            gateway.scripts.write("messages-leave") { _ in
                let events = MessagesScripts.everything.events
                return [.streamHead] + events.prefix(5).map { .body(Array($0.utf8)) } + [.silence]
            }
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--tokens", "1000000/day"])
                let connection = try HTTPConnection(port: gateway.port)
                connection.send(
                    key: key.secret,
                    body: Self.ask("messages-leave", #","max_tokens":64,"stream":true"#))
                _ = try connection.head()
                try connection.read(until: "see: ä😀")
                connection.close()
                let usage = try gateway.settled(key)
                #expect(usage["prompt_tokens"] == "36" && usage["cached_tokens"] == "16")
                #expect(usage["basis"] == "2" && usage["end_state"] == "3", "\(usage)")
                let completion = Int(usage["completion_tokens"] ?? "") ?? 0
                #expect((2...64).contains(completion), "\(usage)")
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `an error within a stream is an error event, and what came is charged`() async throws {
            let gateway = try ServedGateway.current()
            gateway.scripts.write("messages-fail") { _ in
                let error = ScriptedUpstream.messagesError("overloaded_error", "for sk-secret")
                return [.streamHead]
                    + (MessagesScripts.plain.events.prefix(4)
                    + ["event: error\ndata: \(error)\n\n"]).map { .body(Array($0.utf8)) }
                    + [.silence]
            }
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--tokens", "1000000/day"])
                let reply = try gateway.post(
                    key, Self.ask("messages-fail", #","max_tokens":64,"stream":true"#))
                #expect(reply.status == 200 && reply.text.contains("Good"))
                #expect(reply.events.last?.contains(#""code":"server_is_overloaded""#) == true)
                #expect(!reply.text.contains("[DONE]") && !reply.text.contains("sk-secret"))
                let usage = try gateway.settled(key)
                #expect(usage["basis"] == "2" && usage["prompt_tokens"] == "12", "\(usage)")
            }
        }

        /// What an upstream says it counted, and on which basis it is charged.
        static let lies: [(name: String, change: @Sendable (inout ScriptedMessage) -> Void)] = [
            ("negative output", { $0.usage.output = -5 }),
            ("negative input", { $0.usage.input = -1 }),
            ("a negative cache", { $0.usage.cacheRead = -100 }),
        ]

        @Test(.timeLimit(.minutes(1)), arguments: lies.indices, [false, true])
        func `a count that is none is not charged, what was counted is`(
            row: Int, streams: Bool
        ) async throws {
            let gateway = try ServedGateway.current()
            let lie = Self.lies[row]
            gateway.scripts.write("messages-lie-\(row)") { request in
                var message = MessagesScripts.plain
                lie.change(&message)
                return message.steps(for: request)
            }
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--tokens", "1000000/day"])
                let stream = streams ? #","stream":true"# : ""
                let reply = try gateway.post(
                    key, Self.ask("messages-lie-\(row)", #","max_tokens":64\#(stream)"#))
                #expect(reply.status == 200, "\(lie.name): \(reply.text)")
                let usage = try gateway.settled(key)
                #expect(usage["basis"] == "2", "\(lie.name): \(usage)")
                let completion = Int(usage["completion_tokens"] ?? "") ?? 0
                #expect((1...64).contains(completion), "\(lie.name): \(usage)")
            }
        }

        @Test(.timeLimit(.minutes(1)), arguments: [false, true])
        func `a count without end is charged at the bound, the rest is kept as overage`(
            streams: Bool
        ) async throws {
            let gateway = try ServedGateway.current()
            gateway.scripts.write("messages-boast") { request in
                var message = MessagesScripts.plain
                message.usage.input = 900_000_000
                message.usage.cacheRead = 900_000_000
                message.usage.output = 900_000_000
                return message.steps(for: request)
            }
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--tokens", "10000/day"])
                let stream = streams ? #","stream":true"# : ""
                let reply = try gateway.post(
                    key, Self.ask("messages-boast", #","max_tokens":20\#(stream)"#))
                #expect(reply.status == 200, "\(reply.text)")
                let usage = try gateway.settled(key)
                #expect(Int(usage["charged"] ?? "") ?? .max <= 10_000, "\(usage)")
                let account = try AccountSampler.account(gateway, key)
                #expect("\(account.used)" == usage["charged"] && account.reserved == 0)
                // Told to nobody as a stop: the ledger's own alarm counts it.
                try gateway.forgetOverage(key)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `an upstream that goes on beyond its bound is cut there`() async throws {
            let gateway = try ServedGateway.current()
            gateway.scripts.write("messages-endless") { _ in
                let events = ScriptedMessage([.text(Array(repeating: "word ", count: 500))]).events
                return [.streamHead] + events.map { .body(Array($0.utf8)) } + [.silence]
            }
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--tokens", "1000000/day"])
                let reply = try gateway.post(
                    key, Self.ask("messages-endless", #","max_tokens":20,"stream":true"#))
                #expect(reply.text.contains(#""finish_reason":"length""#), "\(reply.text)")
                let usage = try gateway.settled(key)
                #expect(usage["completion_tokens"] == "20" && usage["basis"] == "2", "\(usage)")
                #expect(usage["prompt_tokens"] == "12", "\(usage)")
            }
        }
    }
}
