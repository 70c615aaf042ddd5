import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite(.served) struct `The reference` {
        /// Why a body that follows the schema may be refused all the same: what the backend cannot
        /// do; JSON that no parser of ours takes, such as a number beyond 64 bits; two values that
        /// must be equal; a name that is not among those given.
        private static let unsaid = [
            "unsupported_parameter ", "None The body is refused", "invalid_value max_tokens",
            "invalid_value tool_choice", "invalid_value function_call",
            "invalid_value chat_template_kwargs.reasoning_effort",
            // Bytes that are no recording: only reading them tells.
            "invalid_value messages[N].content[N].input_audio.data",
            "invalid_value messages[N].content[N].audio_content.content",
        ]

        // How long it runs is up to the variable.
        @Test(.timeLimit(.minutes(60)))
        func `schemathesis finds no server error and no answer outside of the schema`() async throws
        {
            let gateway = try ServedGateway.current()
            gateway.scripts.write("model") { ObligingAnswer.steps(for: $0) }
            let scale =
                ProcessInfo.processInfo.environment["TURNPIKE_TEST_SCHEMATHESIS_SECONDS"].flatMap(
                    Int.init) ?? 30
            try await onOwnThread {
                let key = try gateway.makeKey()
                let told = try gateway.python(
                    "conform", key, ["\(scale)"], within: .seconds(scale + 60))
                let calls = try #require(told["calls"] as? [String: Int])
                let found = told["found"] as? String ?? ""
                #expect(told["status"] as? Int == 0, "\(found.suffix(6000))")
                // What has not been reached has not been checked.
                for answer in [
                    "/chat/completions 200", "/chat/completions 400", "/models 200",
                    "/models/{model} 200", "/docs 200",
                ] {
                    #expect(calls.keys.contains { $0.hasSuffix(answer) }, "\(answer): \(calls)")
                }
                let streams = told["streams"] as? Int ?? 0
                #expect(streams > 0)
                let positive = try #require(told["positive"] as? [String: Int])
                // What the schema cannot say, and what this backend cannot do.
                let others = positive.keys.filter { reason in
                    reason != "taken" && !Self.unsaid.contains { reason.hasPrefix($0) }
                }
                #expect(others == [], "bodies that follow the schema are refused: \(positive)")
                let refused = positive.values.reduce(0, +) - (positive["taken"] ?? 0)
                #expect(positive["taken"] ?? 0 > 3 * refused, "\(positive)")
                print("bodies that follow the schema: \(positive)")
                print("\(calls.values.reduce(0, +)) requests, \(streams) answered by streams")
            }
        }
    }
}
