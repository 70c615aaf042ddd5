import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct `A route with several backends` {
        /// A first backend that knows the model as `frail`, and a second that knows it as `firm`.
        private static let route = """
              routed:
                backends:
                  - { name: upstream, upstream_model: frail }
                  - { name: official, upstream_model: firm }
                context_tokens: 4096
                max_completion_tokens: 512

            """

        /// Every way in which a backend fails before it has answered.
        private static let failures: [(name: String, steps: [ScriptedUpstream.Step], Int?)] = [
            ("rate_limited", [.head(429, [("content-length", "0")])], 429),
            ("unreachable", [.head(500, [("content-length", "0")])], 500),
            ("rate_limited", [.head(503, [("content-length", "0")])], 503),
            ("unreachable", [.drop], nil),
            ("unreachable", [.reset], nil),
        ]

        @Test(.timeLimit(.minutes(1)))
        func `fails over on refusals and broken connections, charges the one, explains them all`()
            async throws
        {
            try await onOwnThread {
                for streams in [false, true] {
                    let gateway = try ServedGateway.start(withEngine: false, settings: Self.route)
                    defer { gateway.discard() }
                    let key = try gateway.makeKey(quota: ["--tokens", "100000/day"])
                    for (name, steps, status) in Self.failures {
                        gateway.scripts.write(#""model":"frail""#) { _ in steps }
                        let reply = try gateway.post(
                            key,
                            ServedGateway.prompt(
                                "Hi", model: "routed", more: streams ? #","stream":true"# : ""))
                        #expect(reply.status == 200, "\(name)")
                        let id = try #require(reply.header("x-request-id"))
                        let story = try gateway.administer(["explain", id])
                        #expect(story["backend"] as? String == "official")
                        let attempts = try #require(story["attempts"] as? [String])
                        #expect(attempts.count == 2)
                        #expect(attempts[0].hasPrefix("upstream: "), "\(attempts)")
                        if let status { #expect(attempts[0].contains("(status \(status))")) }
                        #expect(attempts[1].hasPrefix("official: answered"), "\(attempts)")
                    }
                    #expect(
                        try gateway.count("SELECT sum(charged)::int8 FROM usage") == 10
                            * Self.failures.count)
                    let log = gateway.program.written().complaint
                    #expect(log.contains("failed_attempts=upstream:rate_limited(429)"))
                    // What its first call answers has no attempts.
                    _ = try gateway.post(key, ServedGateway.prompt("Hi"))
                    #expect(
                        try gateway.count("SELECT count(*) FROM request_attempt") == 2
                            * Self.failures.count)
                }
            }
        }
    }
}
