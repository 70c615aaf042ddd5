import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite(.served) struct `The end of a stream` {
        /// What the upstream does after so many events of an answer.
        private static let breaks = 7

        @Test(.timeLimit(.minutes(2)), arguments: [1, 8, 31, 128])
        func `each of many streams ends with DONE, or with an error where its upstream broke off`(
            choices: Int
        ) async throws {
            let gateway = try ServedGateway.current()
            let body = #","stream":true,"logprobs":true,"top_logprobs":2,"n":\#(choices)"#
            gateway.scripts.write("whole-\(choices)-") { ObligingAnswer.steps(for: $0) }
            gateway.scripts.write("broken-\(choices)-") { request in
                Array(ObligingAnswer.steps(for: request).prefix(Self.breaks)) + [.drop]
            }
            try await onOwnThread {
                let key = try gateway.makeKey()
                let replies = try onThreads(24) { index in
                    let word = index % 4 == 0 && choices > Self.breaks ? "broken" : "whole"
                    return (
                        word,
                        try gateway.post(
                            key,
                            ServedGateway.prompt(
                                "\(word)-\(choices)-", model: "other", more: body))
                    )
                }
                for (word, reply) in replies {
                    #expect(reply.status == 200, "\(reply.text)")
                    let last = try #require(reply.events.last)
                    let ends = reply.text.components(separatedBy: #""finish_reason":"stop""#)
                    if word == "whole" {
                        #expect(last == "[DONE]", "\(last)")
                        #expect(ends.count - 1 == choices)
                    } else {
                        let event = HTTPReply(status: 0, headers: [], body: Array(last.utf8))
                        #expect(event.isEnvelope && event.code == "upstream_unavailable", "\(last)")
                        #expect(!reply.text.contains("[DONE]"))
                    }
                }
            }
        }
    }
}
