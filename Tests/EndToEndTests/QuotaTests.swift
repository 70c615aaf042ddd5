import Foundation
import Synchronization
import TestSupport
import Testing

extension EndToEnd {
    @Suite(.servedWithEngine) struct `Hard quotas over HTTP` {
        @Test(.timeLimit(.minutes(1)))
        func `a key of 2000 tokens a day is refused when its next request does not fit`()
            async throws
        {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--tokens", "2000/day"])
                let sampler = try AccountSampler(gateway, key)
                let body = ServedGateway.prompt(
                    "What is the capital of France?", model: "demo",
                    more: #","max_tokens":300,"temperature":0"#)
                var spent = 0
                var served = 0
                let refusal = try eventually("the quota is used up", within: .seconds(40)) {
                    () -> HTTPReply? in
                    let reply = try gateway.post(key, body)
                    guard reply.status == 200 else { return reply }
                    spent += try #require(reply.usage).total
                    served += 1
                    try #require(served < 100)
                    return nil
                }
                #expect(refusal.status == 429)
                #expect(refusal.code == "insufficient_quota")
                #expect(refusal.error["type"] as? String == "insufficient_quota")
                #expect(refusal.isEnvelope)
                #expect(refusal.rateLimitHeaders == 6)
                #expect(refusal.header("x-ratelimit-limit-tokens") == "2000")
                // In the last two minutes of a day waiting helps, and the answer says so.
                if refusal.header("retry-after") == nil {
                    #expect(refusal.header("x-should-retry") == "false")
                }
                #expect(served > 10)
                let samples = sampler.stop()
                #expect(samples.count > served)
                #expect(samples.allSatisfy { $0 <= 2000 }, "\(samples.max() ?? 0)")
                let account = try AccountSampler.account(gateway, key)
                #expect(account.used == spent && account.reserved == 0)
                // A smaller one still fits.
                let small = ServedGateway.prompt("Hi", model: "demo", more: #","max_tokens":1"#)
                #expect(try gateway.post(key, small).status == 200)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `of 64 clients racing for a quota of 10 requests' tokens exactly 10 are served`()
            async throws
        {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let body = ServedGateway.prompt("the race", more: #","max_tokens":40"#)
                let bound = try Self.bound(of: body, gateway)
                let report = ScriptBook.answer(
                    "Here.", prompt: bound.prompt, completion: bound.completion)
                gateway.scripts.write("the race") { _ in report }
                let limit = (bound.prompt + bound.completion) * 10
                let key = try gateway.makeKey(quota: ["--tokens", "\(limit)/day"])
                let sampler = try AccountSampler(gateway, key)
                let replies = try onThreads(64) { _ in try gateway.post(key, body) }
                let samples = sampler.stop()
                #expect(replies.count { $0.status == 200 } == 10)
                #expect(replies.count { $0.status == 429 } == 54)
                #expect(replies.allSatisfy { $0.rateLimitHeaders == 6 })
                let codes = Set(replies.compactMap(\.code))
                #expect(codes.isSubset(of: ["insufficient_quota", "budget_reserved"]))
                #expect(samples.allSatisfy { $0 <= Int(limit) })
                let account = try AccountSampler.account(gateway, key)
                #expect(account.used == Int(limit) && account.reserved == 0)
                // First it may be told that others held the rest, which is true of a moment ago.
                _ = try eventually("the quota is told to be used up", within: .seconds(5)) {
                    try gateway.post(key, body).code == "insufficient_quota" ? true : nil
                }
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `a quota of one model refuses its requests and no other model's`() async throws {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--requests", "6/day"])
                let set = ["quota", "set", "--team", key.team, "--requests", "2/day", "--model"]
                // A model that nobody serves is most likely mistyped.
                #expect(try gateway.admin(set + ["scriptde"]).status == 1)
                try gateway.administer(set + ["scripted"])
                func ask(_ model: String) throws -> HTTPReply {
                    try gateway.post(key, ServedGateway.prompt("Hi", model: model))
                }
                let own = try (0..<4).map { _ in try ask("scripted") }
                #expect(own.map(\.status) == [200, 200, 429, 429])
                #expect(own.allSatisfy { $0.header("x-ratelimit-limit-requests") == "2" })
                let message = try #require(own[3].error["message"] as? String)
                #expect(message.contains("2 requests per day for model 'scripted'"), "\(message)")
                let others = try (0..<3).map { _ in try ask("other") }
                #expect(others.map(\.status) == [200, 200, 200])
                #expect(others.allSatisfy { $0.header("x-ratelimit-limit-requests") == "6" })
                let lines = try #require(
                    try gateway.get(key, "/v1/quota").json["quotas"] as? [[String: Any]])
                #expect(lines.map { $0["model"] as? String } == ["scripted", nil])
                #expect(lines.map { $0["left"] as? Int } == [0, 1])
                func check(_ model: String) throws -> Int32 {
                    let words = ["quota", "check", "--key", key.id, "--tokens", "1", "--model"]
                    return try gateway.admin(words + [model]).status
                }
                #expect(try check("scripted") == 1)
                #expect(try check("other") == 0)
                try gateway.administer([
                    "quota", "clear", "--team", key.team, "--model", "scripted", "--requests",
                    "day",
                ])
                _ = try eventually("the gateway knows that it is gone", within: .seconds(5)) {
                    try ask("scripted").status == 200 ? true : nil
                }
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `a quota of requests and one of a team hold as hard as one of tokens`() async throws {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--requests", "3/day"])
                let body = ServedGateway.prompt("Hi")
                let statuses = try (0..<5).map { _ in try gateway.post(key, body).status }
                #expect(statuses == [200, 200, 200, 429, 429])
                let sibling = try ServedGateway.IssuedKey(
                    gateway.administer(["key", "create", "--team", key.team, "--name", "sibling"]))
                try gateway.administer([
                    "quota", "set", "--team", key.team, "--requests", "2/month",
                ])
                let served = try onThreads(8) { _ in try gateway.post(sibling, body).status }
                    .count { $0 == 200 }
                #expect(served == 2)
            }
        }

        /// What the gateway reserves for a request, read from the ledger while it is held open.
        private static func bound(
            of body: String, _ gateway: ServedGateway
        ) throws -> (prompt: Int64, completion: Int64) {
            let gate = ScriptedUpstream.Gate()
            gateway.scripts.write("the race") { request in
                [.wait(gate)] + ScriptBook.short(request)
            }
            let key = try gateway.makeKey()
            let connection = try HTTPConnection(port: gateway.port)
            connection.send(key: key.secret, body: body)
            let row = try eventually("the reservation is in the ledger") {
                try gateway.rows("SELECT prompt_bound, completion_bound FROM reservation").first
            }
            gate.open()
            #expect(try connection.reply().status == 200)
            return (
                prompt: try #require(row["prompt_bound"].flatMap { Int64($0) }),
                completion: try #require(row["completion_bound"].flatMap { Int64($0) })
            )
        }
    }
}
