import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct `Requests with an idempotency key` {
        private static let stores = "idempotency: { stores_answers: true }"

        /// Starts the official package's client; `port` is another gateway's of the same ledger.
        private static func start(
            _ gateway: ServedGateway, _ key: ServedGateway.IssuedKey, _ words: [String],
            port: Int? = nil
        ) throws -> RunningProgram {
            try RunningProgram.start(
                Installation.python(), ["\(Installation.scripts)/once.py"] + words,
                environment: [
                    "OPENAI_BASE_URL": "http://127.0.0.1:\(port ?? gateway.port)/v1",
                    "OPENAI_API_KEY": key.secret,
                ])
        }

        /// What it prints at its end.
        private static func told(_ program: RunningProgram) throws -> [String: Any] {
            let end = try program.end(within: .seconds(40))
            try #require(end.status == 0, "\(end.complaint)")
            let value = try JSONSerialization.jsonObject(with: Data(end.output.utf8))
            return try #require(value as? [String: Any])
        }

        private static func calls(_ gateway: ServedGateway, _ prompt: String) -> Int {
            gateway.upstream.requests.count { $0.text.contains(prompt) }
        }

        @Test(.timeLimit(.minutes(1)), arguments: ["plain", "stream"])
        func `a retry of an answered request learns its id and usage, and is charged nothing`(
            _ form: String
        ) async throws {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: false)
                defer { gateway.discard() }
                let key = try gateway.makeKey(quota: ["--tokens", "10000/day"])
                func ask(_ prompt: String) throws -> [String: Any] {
                    // The client's own retries are on: it must not use them.
                    try Self.told(Self.start(gateway, key, ["order 7", prompt, form, "2"]))
                }
                #expect(try ask("asked once")["code"] as? String == "invalid_idempotency_key")
                func again(_ prompt: String) throws -> [String: Any] {
                    try Self.told(Self.start(gateway, key, ["order-7", prompt, form, "2"]))
                }
                let first = try again("asked once")
                #expect(first["text"] as? String == "Good day." && first["class"] is NSNull)
                let second = try again("asked once")
                #expect(second["class"] as? String == "ConflictError")
                #expect(second["status"] as? Int == 409)
                #expect(second["code"] as? String == "idempotency_replayed")
                #expect(second["first"] as? String == first["request_id"] as? String)
                #expect(second["end"] as? String == "finished")
                #expect(
                    second["usage"] as? [String: Int]
                        == ["prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10])
                let other = try again("asked differently")
                #expect(other["class"] as? String == "UnprocessableEntityError")
                #expect(other["code"] as? String == "idempotency_key_reused")
                #expect(Self.calls(gateway, "asked") == 1)
                #expect(try gateway.settled(key)["charged"] == "10")
                try gateway.stop()
            }
        }

        @Test(.timeLimit(.minutes(1)), arguments: ["plain", "stream"])
        func `while answers are stored, everybody who asks gets the one that was paid for`(
            _ form: String
        ) async throws {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: false, settings: Self.stores)
                defer { gateway.discard() }
                let key = try gateway.makeKey(quota: ["--tokens", "10000/day"])
                let gate = ScriptedUpstream.Gate()
                gateway.scripts.write("for all") { request in
                    [.wait(gate)] + ScriptBook.short(request)
                }
                let words = ["shared", "for all", form, "8"]
                let programs = try (0..<4).map { _ in try Self.start(gateway, key, words) }
                // All but one are told to come back, again and again.
                _ = try eventually("three are told that it is in progress") {
                    let refusals =
                        gateway.program.written().complaint
                        .components(separatedBy: "idempotency_in_progress").count - 1
                    return refusals >= 3 ? true : nil
                }
                gate.open()
                let answers = try programs.map { try Self.told($0) }
                #expect(answers.allSatisfy { $0["text"] as? String == "Good day." })
                #expect(Set(answers.map { $0["id"] as? String ?? "" }).count == 1)
                #expect(Set(answers.map { $0["request_id"] as? String ?? "" }).count == 1)
                #expect(answers.count { $0["replayed"] as? String == "true" } == 3)
                #expect(Self.calls(gateway, "for all") == 1)
                #expect(try gateway.settled(key)["charged"] == "10")
                #expect(try gateway.count("SELECT count(*) FROM idempotent_answer") == 1)
                try gateway.stop()
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `a stream cut by a kill of the gateway is over for its retry, and charged once`()
            async throws
        {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: false)
                defer { gateway.discard() }
                let key = try gateway.makeKey(quota: ["--tokens", "10000/day"])
                gateway.scripts.write("cut short") { _ in [.streamHead, .say("Good"), .silence] }
                let words = ["cut", "cut short", "stream", "0"]
                let first = try Self.start(gateway, key, words)
                _ = try first.line(containing: "begun")
                let early = try Self.told(Self.start(gateway, key, words))
                #expect(early["code"] as? String == "idempotency_in_progress", "\(early)")
                gateway.program.signal(SIGKILL)
                #expect(try Self.told(first)["class"] as? String != nil)
                let next = try RunningProgram.start(
                    Installation.program(), ["serve", "--config", gateway.configuration])
                let port = try ServedGateway.port(of: next)
                let late = try eventually("the first is over") { () -> [String: Any]? in
                    let told = try Self.told(Self.start(gateway, key, words, port: port))
                    return told["code"] as? String == "idempotency_in_progress" ? nil : told
                }
                #expect(late["code"] as? String == "idempotency_replayed", "\(late)")
                #expect(late["first"] as? String == early["first"] as? String)
                let usage = try gateway.settled(key)
                #expect(usage["basis"] == "3", "\(usage)")
                let told = try #require(late["usage"] as? [String: Int])
                #expect(usage["charged"] == told["total_tokens"].map { "\($0)" })
                #expect(Self.calls(gateway, "cut short") == 1)
                next.signal(SIGTERM)
                #expect(try next.end().status == 0)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `a request that a kill of the gateway left without a byte is served to its retry`()
            async throws
        {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: false)
                defer { gateway.discard() }
                let key = try gateway.makeKey(quota: ["--tokens", "10000/day"])
                let gate = ScriptedUpstream.Gate()
                gateway.scripts.write("never begun") { request in
                    [.wait(gate)] + ScriptBook.short(request)
                }
                let words = ["unbegun", "never begun", "plain", "0"]
                let first = try Self.start(gateway, key, words)
                _ = try eventually("the ledger has accepted it") {
                    try gateway.count(
                        "SELECT count(*) FROM idempotent_request WHERE is_accepted") == 1
                        ? true : nil
                }
                gateway.program.signal(SIGKILL)
                #expect(try Self.told(first)["class"] as? String == "APIConnectionError")
                gate.open()
                let next = try RunningProgram.start(
                    Installation.program(), ["serve", "--config", gateway.configuration])
                let port = try ServedGateway.port(of: next)
                let retry = try Self.told(
                    Self.start(
                        gateway, key, ["unbegun", "never begun", "plain", "5"], port: port))
                #expect(retry["text"] as? String == "Good day.", "\(retry)")
                let of = "JOIN api_key k USING (shard, key_id) WHERE k.name = '\(key.name)'"
                #expect(try gateway.count("SELECT sum(charged)::int FROM usage \(of)") == 10)
                #expect(try AccountSampler.account(gateway, key).used == 10)
                next.signal(SIGTERM)
                #expect(try next.end().status == 0)
            }
        }
    }
}
