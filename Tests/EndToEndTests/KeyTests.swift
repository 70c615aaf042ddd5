import Foundation
import Postgres
import TestSupport
import Testing

extension EndToEnd {
    @Suite(.served) struct `Keys on a running gateway` {
        @Test(.timeLimit(.minutes(1)))
        func `a revoked key is refused within two seconds`() async throws {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey()
                let body = ServedGateway.prompt("Hi")
                #expect(try gateway.post(key, body).status == 200)
                try gateway.administer(["key", "revoke", key.id, "--yes"])
                let start = ContinuousClock.now
                let refusal = try eventually("the key is refused") { () -> HTTPReply? in
                    let reply = try gateway.post(key, body)
                    return reply.status == 200 ? nil : reply
                }
                let took = ContinuousClock.now - start
                #expect(refusal.status == 401 && refusal.code == "invalid_api_key")
                #expect(took < .seconds(2), "refused after \(took)")
                print("A revoked key was refused after \(took).")
            }
        }

        @Test(.timeLimit(.minutes(1)), arguments: ["revoke", "suspend"])
        func `what runs under a key is cut within two seconds of its end`(_ word: String)
            async throws
        {
            let gateway = try ServedGateway.current()
            let gate = ScriptedUpstream.Gate()
            defer { gate.open() }
            gateway.scripts.write("endless \(word)") { _ in
                [.streamHead, .say("Once"), .say(" upon"), .wait(gate)]
            }
            try await onOwnThread {
                let key = try gateway.makeKey()
                let connection = try HTTPConnection(port: gateway.port)
                connection.send(
                    key: key.secret,
                    body: ServedGateway.prompt("endless \(word)", more: #","stream":true"#))
                #expect(try connection.head().status == 200)
                var text = ""
                while !text.contains("upon"), let piece = try connection.piece() {
                    text += String(decoding: piece, as: UTF8.self)
                }
                let yes = word == "revoke" ? ["--yes", "--reason", "leaked"] : []
                try gateway.administer(["key", word, key.id] + yes)
                let start = ContinuousClock.now
                while let piece = try connection.piece() {
                    text += String(decoding: piece, as: UTF8.self)
                }
                let took = ContinuousClock.now - start
                #expect(took < .seconds(2), "cut after \(took)")
                print("A running stream was cut \(took) after `key \(word)` returned.")
                let code = word == "revoke" ? "invalid_api_key" : "key_suspended"
                #expect(text.contains("\"code\":\"\(code)\"") && !text.contains("[DONE]"))
                #expect(!text.contains("leaked"))
                #expect(
                    try gateway.count(
                        "SELECT count(*) FROM usage u JOIN api_key k USING (shard, key_id) "
                            + "WHERE k.name = '\(key.name)' AND u.end_state = 6 "
                            + "AND u.completion_tokens > 0") == 1)
                let refusal = try gateway.post(key, ServedGateway.prompt("Hi"))
                #expect(refusal.status == (word == "revoke" ? 401 : 403) && refusal.code == code)
                guard word == "suspend" else { return }
                try gateway.administer(["key", "resume", key.id])
                _ = try eventually("the key works again", within: .seconds(3)) {
                    try gateway.post(key, ServedGateway.prompt("Hi")).status == 200 ? true : nil
                }
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `two secrets of one key together never pass its quota`() async throws {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--requests", "10/day"])
                let next = try ServedGateway.IssuedKey(
                    gateway.administer(["key", "rotate", key.id, "--grace", "1h"]))
                #expect(next.id != key.id && next.secret != key.secret)
                let body = ServedGateway.prompt("Hi")
                #expect(try gateway.post(key, body).status == 200)
                #expect(try gateway.post(next, body).status == 200)
                let replies = try onThreads(64) { index in
                    try gateway.post(index.isMultiple(of: 2) ? key : next, body).status
                }
                #expect(replies.count { $0 == 200 } == 8)
                #expect(replies.count { $0 == 429 } == 56)
                let both = try gateway.count(
                    "SELECT count(DISTINCT u.key_id) FROM usage u JOIN api_key k "
                        + "USING (shard, key_id) WHERE k.name = '\(key.name)'")
                #expect(both == 2, "only one of the secrets was served")
                try gateway.administer(["quota", "set", "--key", next.id, "--requests", "100/day"])
                try gateway.administer(["key", "rotate", next.id, "--finish"])
                _ = try eventually("the secret before is refused", within: .seconds(3)) {
                    try gateway.post(key, body).status == 401 ? true : nil
                }
                #expect(try gateway.post(next, body).status == 200)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `unknown, wrong, expired and revoked keys get the same answer to the byte`()
            async throws
        {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let revoked = try gateway.makeKey()
                try gateway.administer(["key", "revoke", revoked.id, "--yes"])
                let expired = try gateway.makeKey(more: ["--expires", "1h"])
                try gateway.expire(expired)
                let good = try gateway.makeKey()
                let secrets = [
                    revoked.secret, expired.secret, good.secret + "0",
                    String(good.secret.dropLast()),
                    try Forged.key(id: good.id, like: good.secret),
                    try Forged.key(id: "00000000000", like: good.secret), "nonsense",
                    String(repeating: "k", count: 500),
                ]
                let replies = try secrets.map { secret in
                    let connection = try HTTPConnection(port: gateway.port)
                    connection.send(key: secret, body: ServedGateway.prompt("Hi"))
                    return try connection.reply()
                }
                #expect(Set(replies.map(\.status)) == [401])
                #expect(Set(replies.map(\.textWithoutRequestID)).count == 1)
                #expect(replies.allSatisfy { $0.isEnvelope && $0.code == "invalid_api_key" })
                #expect(replies.allSatisfy { $0.header("www-authenticate") == "Bearer" })
                #expect(replies.allSatisfy { $0.rateLimitHeaders == 0 })
                #expect(Set(replies.map { $0.headers.map(\.name) }).count == 1)
                #expect(try gateway.post(good, ServedGateway.prompt("Hi")).status == 200)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `a request without a key is told how to send one`() async throws {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let reply = try gateway.post(nil, ServedGateway.prompt("Hi"))
                #expect(reply.status == 401 && reply.isEnvelope && reply.code == nil)
                #expect(reply.header("www-authenticate") == "Bearer")
                #expect(try gateway.get(nil, "/v1/models").status == 401)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `a key for one model is refused another and sees only its own`() async throws {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let limited = try gateway.makeKey(more: ["--models", "other"])
                let refusal = try gateway.post(limited, ServedGateway.prompt("Hi"))
                #expect(refusal.status == 403 && refusal.isEnvelope)
                #expect(refusal.code == "model_not_allowed")
                #expect(refusal.error["type"] as? String == "permission_error")
                #expect(refusal.rateLimitHeaders == 6)
                let served = try gateway.post(limited, ServedGateway.prompt("Hi", model: "other"))
                #expect(served.status == 200)
                #expect(try Self.models(gateway, limited) == ["other"])
                #expect(
                    try Self.models(gateway, gateway.makeKey()) == [
                        "other", "scripted", "sights", "union",
                    ])
                #expect(try gateway.get(limited, "/v1/models/other").status == 200)
                #expect(
                    [403, 404].contains(try gateway.get(limited, "/v1/models/scripted").status))
            }
        }

        private static func models(
            _ gateway: ServedGateway, _ key: ServedGateway.IssuedKey
        ) throws -> [String] {
            let reply = try gateway.get(key, "/v1/models")
            #expect(reply.status == 200 && reply.rateLimitHeaders == 6)
            let list = try #require(reply.json["data"] as? [[String: Any]])
            return list.compactMap { $0["id"] as? String }.sorted()
        }
    }
}

/// Keys that look right and were never issued.
enum Forged {
    /// A key of this id with another secret, and with the checksum that belongs to it.
    static func key(id: String, like real: String) throws -> String {
        let prefix = try #require(real.split(separator: "_").first)
        let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
        let secret = String((0..<43).map { _ in alphabet.randomElement() ?? "0" })
        let text = "\(prefix)_\(id)_\(secret)"
        var rest = crc32(text)
        var digits = ""
        for _ in 0..<6 {
            digits = String(alphabet[Int(rest % 62)]) + digits
            rest /= 62
        }
        return text + digits
    }

    /// CRC-32 of IEEE 802.3, bit by bit.
    static func crc32(_ text: String) -> UInt32 {
        ~text.utf8.reduce(~UInt32(0)) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in
                (crc >> 1) ^ (crc & 1 == 1 ? 0xEDB8_8320 : 0)
            }
        }
    }
}

extension ServedGateway {
    /// Lets a key's time be over, as it will be one day.
    func expire(_ key: IssuedKey) throws {
        let connection = try database.connection()
        defer { connection.close() }
        try connection.execute(
            script: """
                UPDATE api_key SET not_before = now() - interval '2h', not_after = now() - interval '1h'
                WHERE name = '\(key.name)';
                UPDATE directory_revision SET revision = revision + 1;
                """)
    }
}
