import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite(.served) struct `A key's own usage and quota over HTTP` {
        /// A key of a new organization with a team of its own.
        private static func strangersKey(
            _ gateway: ServedGateway
        ) throws -> ServedGateway.IssuedKey {
            _ = try gateway.administer(["org", "create", "stranger"])
            _ = try gateway.administer(
                ["team", "create", "outsiders", "--organization", "stranger"])
            let made = try gateway.administer([
                "key", "create", "--team", "outsiders", "--name", "theirs", "--organization",
                "stranger",
            ])
            return try ServedGateway.IssuedKey(made)
        }

        private static func totals(_ reply: HTTPReply) throws -> [String: Any] {
            #expect(reply.status == 200 && reply.rateLimitHeaders == 6)
            return try #require(reply.json["total"] as? [String: Any])
        }

        @Test(.timeLimit(.minutes(1)))
        func `a key sees what it used and has left, and nothing of any other key`() async throws {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--tokens", "100000/day"])
                let mate = try gateway.makeKey()
                let stranger = try Self.strangersKey(gateway)
                var spent = 0
                for _ in 0..<3 {
                    let reply = try gateway.post(key, ServedGateway.prompt("Hi"))
                    spent += try #require(reply.usage).total
                }
                for grouping in ["hour", "day", "month", "model"] {
                    let own = try Self.totals(gateway.get(key, "/v1/usage?by=\(grouping)"))
                    #expect(own["requests"] as? Int == 3)
                    #expect(own["total_tokens"] as? Int == spent)
                    for other in [mate, stranger] {
                        let theirs = try Self.totals(
                            gateway.get(other, "/v1/usage?by=\(grouping)"))
                        #expect(theirs["requests"] as? Int == 0)
                    }
                }
                let quota = try gateway.get(key, "/v1/quota")
                let lines = try #require(quota.json["quotas"] as? [[String: Any]])
                let line = try #require(lines.first { $0["subject"] as? String == "key" })
                #expect(line["limit"] as? Int == 100_000 && line["used"] as? Int == spent)
                #expect(line["left"] as? Int == 100_000 - spent)
                #expect((line["resets_at"] as? String)?.hasSuffix("T00:00:00Z") == true)
                for other in [mate, stranger] {
                    let theirs = try gateway.get(other, "/v1/quota")
                    #expect((theirs.json["quotas"] as? [Any])?.isEmpty == true)
                }
                // A revoked key reads nothing.
                _ = try gateway.admin(["key", "revoke", key.id, "--yes"])
                _ = try eventually("the revocation is known", within: .seconds(5)) {
                    try gateway.get(key, "/v1/usage").status == 401 ? true : nil
                }
            }
        }
    }
}
