import Foundation
import Postgres
import TestSupport
import Testing

extension EndToEnd {
    @Suite(.served) struct `A database that drops its connections` {
        @Test(.timeLimit(.minutes(1)))
        func `what was told as served is settled once, and the account says the same`()
            async throws
        {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--tokens", "100000/day"])
                let body = ServedGateway.prompt("Hi")
                #expect(try gateway.post(key, body).status == 200)
                let replies = try onThreads(8) { client in
                    try (0..<20).map { turn in
                        if client == 0, turn % 4 == 0 { try Self.dropAll(gateway) }
                        let streams = turn % 2 == 0 ? #","stream":true"# : ""
                        return try gateway.post(
                            key, ServedGateway.prompt("Hi", more: streams))
                    }
                }.flatMap(\.self)
                #expect(replies.allSatisfy { [200, 503].contains($0.status) })
                let served = replies.count { reply in
                    reply.status == 200 && (reply.usage != nil || reply.text.contains("[DONE]"))
                }
                #expect(served > 0)
                _ = try eventually("the gateway serves again") {
                    try gateway.post(key, body).status == 200 ? true : nil
                }
                _ = try eventually("nothing is open") {
                    try gateway.count("SELECT count(*) FROM reservation") == 0 ? true : nil
                }
                let of = "JOIN api_key k USING (shard, key_id) WHERE k.name = '\(key.name)'"
                let charged = try gateway.count("SELECT sum(charged)::int8 FROM usage \(of)")
                #expect(try AccountSampler.account(gateway, key).used == charged)
                // Two more than counted above; what was not told may have been charged all the
                // same.
                #expect(charged >= (served + 2) * 10)
                #expect(charged <= (replies.count + 50) * 10)
                let report =
                    try gateway.administer(
                        ["usage", "--by", "key", "--team", key.team])["rows"] as? [[String: Any]]
                #expect(report?.first?["total_tokens"] as? Int == charged)
            }
        }

        /// Ends every session of the gateway's database but ours.
        private static func dropAll(_ gateway: ServedGateway) throws {
            let connection = try gateway.database.connection()
            defer { connection.close() }
            try connection.execute(
                script: """
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()
                    """)
        }
    }
}
