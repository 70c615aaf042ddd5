import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct `Stops and kills of a gateway` {
        private static let stream = #","stream":true"#

        /// A stream of which two words have arrived, held until the gate opens.
        private static func begin(
            _ gateway: ServedGateway, _ key: ServedGateway.IssuedKey, _ gate: ScriptedUpstream.Gate
        ) throws -> HTTPConnection {
            gateway.scripts.write("held") { _ in
                [.streamHead, .say("Good"), .say(" day."), .wait(gate)]
                    + .finish(prompt: 7, completion: 3)
            }
            let connection = try HTTPConnection(port: gateway.port)
            connection.send(key: key.secret, body: ServedGateway.prompt("held", more: stream))
            #expect(try connection.head().status == 200)
            try connection.read(until: " day.")
            return connection
        }

        @Test(.timeLimit(.minutes(1)))
        func `a stop lets a running answer finish and takes no new ones`() async throws {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: false)
                defer { gateway.discard() }
                let key = try gateway.makeKey(quota: ["--tokens", "10000/day"])
                #expect(try gateway.get(nil, "/readyz", port: gateway.adminPort).status == 200)
                #expect(try gateway.get(nil, "/healthz", port: gateway.adminPort).status == 200)
                let gate = ScriptedUpstream.Gate()
                let connection = try Self.begin(gateway, key, gate)
                gateway.program.signal(SIGTERM)
                _ = try eventually("the gateway says that it drains") {
                    try gateway.get(nil, "/readyz", port: gateway.adminPort).status == 503
                        ? true : nil
                }
                let late = try? gateway.post(key, ServedGateway.prompt("Hi"))
                #expect(late == nil || late?.status == 503)
                gate.open()
                try connection.read(until: "[DONE]")
                #expect(try gateway.program.end().status == 0)
                let usage = try gateway.settled(key)
                #expect(usage["basis"] == "1" && usage["charged"] == "10", "\(usage)")
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `an answer that outlasts the drain is cut, told so and settled`() async throws {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: false)
                defer { gateway.discard() }
                let key = try gateway.makeKey(quota: ["--tokens", "10000/day"])
                let connection = try Self.begin(gateway, key, ScriptedUpstream.Gate())
                gateway.program.signal(SIGTERM)
                var rest = ""
                while let piece = try connection.piece() {
                    rest += String(decoding: piece, as: UTF8.self)
                }
                #expect(rest.contains(#""error""#) && !rest.contains("[DONE]"), "\(rest)")
                #expect(try gateway.program.end().status == 0)
                let usage = try gateway.settled(key)
                #expect(usage["basis"] == "2" && usage["end_state"] == "7", "\(usage)")
                #expect(try gateway.count("SELECT count(*) FROM node_lane WHERE live") == 0)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `a killed gateway's open stream is settled once by its next start`() async throws {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: false)
                defer { gateway.discard() }
                let key = try gateway.makeKey(quota: ["--tokens", "10000/day"])
                let connection = try Self.begin(gateway, key, ScriptedUpstream.Gate())
                gateway.program.signal(SIGKILL)
                #expect(throws: (any Error).self) { try connection.read(until: "[DONE]") }
                let next = try RunningProgram.start(
                    Installation.program(), ["serve", "--config", gateway.configuration])
                let port = try ServedGateway.port(of: next)
                let usage = try gateway.settled(key)
                #expect(["3", "4"].contains(usage["basis"]), "\(usage)")
                #expect(Int(usage["charged"] ?? "") ?? 0 >= 2)
                let account = try AccountSampler.account(gateway, key)
                #expect("\(account.used)" == usage["charged"] && account.reserved == 0)
                let again = try HTTPConnection(port: port)
                again.send(key: key.secret, body: ServedGateway.prompt("Hi"))
                #expect(try again.reply().status == 200)
                next.signal(SIGTERM)
                #expect(try next.end().status == 0)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `a ledger that does not answer is told within seconds, and the key is not charged`()
            async throws
        {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: false)
                defer { gateway.discard() }
                let strict = ["--tokens", "10000/day", "--outage", "refuse"]
                let key = try gateway.makeKey(quota: strict)
                #expect(try gateway.post(key, ServedGateway.prompt("Hi")).status == 200)
                let lock = try TableLock(gateway, "SELECT 1 FROM node_lane FOR UPDATE")
                let start = ContinuousClock.now
                let reply = try gateway.post(key, ServedGateway.prompt("Hi"))
                let took = ContinuousClock.now - start
                #expect(reply.status == 503 && reply.code == "metering_unavailable")
                #expect(reply.header("retry-after") != nil)
                #expect(took < .seconds(4), "told after \(took)")
                try lock.release()
                let of = "JOIN api_key k USING (shard, key_id) WHERE k.name = '\(key.name)'"
                _ = try eventually("nothing is open") {
                    try gateway.count("SELECT count(*) FROM reservation \(of)") == 0 ? true : nil
                }
                #expect(
                    try gateway.count("SELECT sum(charged)::int FROM usage \(of)") == 10)
                _ = try eventually("the gateway serves again") {
                    try gateway.post(key, ServedGateway.prompt("Hi")).status == 200 ? true : nil
                }
            }
        }
    }
}
