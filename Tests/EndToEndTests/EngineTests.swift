import Foundation
import Postgres
import TestSupport
import Testing

extension EndToEnd {
    @Suite(.servedWithEngine) struct `The local engine, cut and killed` {
        /// A long answer: the token that ends one is never chosen.
        private static let long =
            #","stream":true,"max_tokens":500,"temperature":0,"logit_bias":{"\#(endToken)":-100}"#
        private static let endToken = 2

        /// The engine's process, which is not the one of `earlier`.
        private static func engine(
            of gateway: ServedGateway, but earlier: Int32? = nil
        ) throws -> MachineProcesses.Known {
            try eventually("the engine runs") {
                MachineProcesses.family(of: gateway.program.id)
                    .first { $0.name == "llama-server" && $0.id != earlier }
            }
        }

        /// A stream of the engine that has begun to speak and is stopped in the middle, so that it
        /// cannot come to its end.
        private struct Stopped {
            let key: ServedGateway.IssuedKey
            let engine: MachineProcesses.Known
            let connection: HTTPConnection
            /// What came of it so far.
            var text: String

            init(_ gateway: ServedGateway) throws {
                key = try gateway.makeKey(quota: ["--tokens", "100000/day"])
                engine = try `The local engine, cut and killed`.engine(of: gateway)
                connection = try HTTPConnection(port: gateway.port)
                connection.send(
                    key: key.secret,
                    body: ServedGateway.prompt("Tell me a story.", model: "demo", more: long))
                #expect(try connection.head().status == 200)
                text = try connection.read(until: #""content":""#)
                kill(engine.id, SIGSTOP)
            }
        }

        /// How many events of a stream carried text.
        private static func texts(in stream: String) -> Int {
            stream.split(separator: "\n").count {
                $0.hasPrefix("data: {") && $0.contains(#""delta":{"content":""#)
                    && !$0.contains(#""delta":{"content":"""#)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `one that dies in a stream is an error event, the true count, and a fresh engine`()
            async throws
        {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                var stream = try Stopped(gateway)
                let (key, engine) = (stream.key, stream.engine)
                kill(engine.id, SIGKILL)
                while let piece = try stream.connection.piece() {
                    stream.text += String(decoding: piece, as: UTF8.self)
                }
                let last = stream.text.split(separator: "\n").last { $0.hasPrefix("data: ") } ?? ""
                let event = HTTPReply(status: 0, headers: [], body: Array(last.dropFirst(6).utf8))
                #expect(event.isEnvelope && event.code == "upstream_unavailable", "\(last)")
                #expect(!stream.text.contains("[DONE]"))
                let usage = try gateway.settled(key)
                #expect(usage["basis"] == "2" && usage["end_state"] == "4", "\(usage)")
                // Each of its tokens comes as an event of its own, and all that came are counted.
                let delivered = Self.texts(in: stream.text)
                #expect(usage["completion_tokens"] == "\(delivered)", "\(usage)")
                #expect((1..<500).contains(delivered))
                let account = try AccountSampler.account(gateway, key)
                #expect("\(account.used)" == usage["charged"] && account.reserved == 0)
                // The next one is another process, which answers as the first one did.
                _ = try Self.engine(of: gateway, but: engine.id)
                let other = try gateway.makeKey()
                let reply = try eventually("a fresh engine answers", within: .seconds(20)) {
                    let reply = try gateway.post(
                        other,
                        ServedGateway.prompt(
                            "What is the capital of Japan?", model: "demo",
                            more: #","temperature":0"#))
                    return reply.status == 200 ? reply : nil
                }
                #expect(reply.text.contains("Tokyo"), "\(reply.text)")
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `a client that leaves pays for what came until then, and not for the rest`()
            async throws
        {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                // What was generated until the client has left is all there will be.
                let stream = try Stopped(gateway)
                let key = stream.key
                defer { kill(stream.engine.id, SIGCONT) }
                stream.connection.close()
                let usage = try gateway.settled(key)
                #expect(usage["basis"] == "2" && usage["end_state"] == "3", "\(usage)")
                let counted = Int(usage["completion_tokens"] ?? "") ?? 0
                #expect((max(1, Self.texts(in: stream.text))..<500).contains(counted), "\(usage)")
                let account = try AccountSampler.account(gateway, key)
                #expect("\(account.used)" == usage["charged"] && account.reserved == 0)
            }
        }
    }
}
