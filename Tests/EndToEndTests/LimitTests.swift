import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite(.served) struct `Rates, sizes and costs over HTTP` {
        @Test(.timeLimit(.minutes(1)))
        func `a rate of requests says when to come back`() async throws {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--requests", "3/minute"])
                let replies = try (0..<4).map { _ in
                    try gateway.post(key, ServedGateway.prompt("Hi"))
                }
                #expect(replies.map(\.status) == [200, 200, 200, 429])
                #expect(replies[0].header("x-ratelimit-limit-requests") == "3")
                let refusal = replies[3]
                #expect(refusal.isEnvelope && refusal.code == "rate_limit_exceeded")
                #expect(refusal.error["type"] as? String == "requests")
                let seconds = try #require(refusal.header("retry-after").flatMap { Int($0) })
                let exact = try #require(refusal.header("retry-after-ms").flatMap { Int($0) })
                #expect((1...60).contains(seconds) && exact <= seconds * 1000)
                #expect(refusal.header("x-ratelimit-remaining-requests") == "0")
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `no more requests run at once than a key may`() async throws {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let gate = ScriptedUpstream.Gate()
                gateway.scripts.write("at once") { request in
                    [.wait(gate)] + ScriptBook.short(request)
                }
                let key = try gateway.makeKey(quota: ["--concurrent", "2"])
                let body = ServedGateway.prompt("at once")
                let open = try (0..<2).map { _ in
                    let connection = try HTTPConnection(port: gateway.port)
                    connection.send(key: key.secret, body: body)
                    return connection
                }
                _ = try eventually("two requests are open") {
                    try gateway.count("SELECT count(*) FROM reservation") == 2 ? true : nil
                }
                let third = try gateway.post(key, body)
                #expect(third.status == 429 && third.code == "rate_limit_exceeded")
                gate.open()
                for connection in open { #expect(try connection.reply().status == 200) }
                #expect(try gateway.post(key, body).status == 200)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `a request that alone is larger than the quota is told the most that fits`()
            async throws
        {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--tokens", "200/day"])
                let reply = try gateway.post(
                    key, ServedGateway.prompt("Hi", more: #","max_tokens":500"#))
                #expect(reply.status == 400 && reply.code == "max_tokens_exceed_budget")
                let message = try #require(reply.error["message"] as? String)
                let most = try #require(
                    message.split { !$0.isNumber }.compactMap { Int($0) }.last { $0 < 200 })
                let fitting = ServedGateway.prompt("Hi", more: #","max_tokens":\#(most)"#)
                let tooLarge = ServedGateway.prompt("Hi", more: #","max_tokens":\#(most + 1)"#)
                #expect(try gateway.post(key, tooLarge).status == 400)
                #expect(try gateway.post(key, fitting).status == 200, "\(message)")
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `a priced model costs what its price says, and a quota of money stops it`()
            async throws
        {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--cost", "0.01usd/day"])
                let body = ServedGateway.prompt("Hi", model: "other", more: #","max_tokens":500"#)
                var served = 0
                let refusal = try eventually("the money is used up") { () -> HTTPReply? in
                    let reply = try gateway.post(key, body)
                    served += reply.status == 200 ? 1 : 0
                    return reply.status == 200 ? nil : reply
                }
                #expect(refusal.status == 429 && refusal.code == "insufficient_quota")
                let report =
                    try gateway.administer(
                        ["usage", "--by", "key", "--team", key.team])["rows"] as? [[String: Any]]
                // 7 tokens at $1 and 3 at $10 per million.
                #expect(report?.first?["cost_nanousd"] as? Int == served * 37_000)
                #expect(served > 50)
            }
        }
    }
}
