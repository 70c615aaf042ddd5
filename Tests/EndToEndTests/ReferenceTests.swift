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

/// An upstream that gives whatever it is asked for: choices, logprobs, calls, streams.
private enum ObligingAnswer {
    static func steps(for request: ScriptedUpstream.Request) -> [ScriptedUpstream.Step] {
        let body =
            (try? JSONSerialization.jsonObject(with: Data(request.body))) as? [String: Any] ?? [:]
        let count = body["n"] as? Int ?? 1
        let choices = (0..<count).map { choice($0, of: body) }
        let usage =
            #""usage":{"prompt_tokens":1,"completion_tokens":\#(count),"#
            + #""total_tokens":\#(count + 1)}"#
        guard body["stream"] as? Bool == true else {
            return ScriptedUpstream.Step.json(
                200,
                #"{"id":"x","object":"chat.completion","created":1,"model":"m","choices":["#
                    + choices.map { text(of: $0, "message") }.joined(separator: ",") + "],\(usage)}"
            )
        }
        let head = #"data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m","#
        var events = choices.map { head + #""choices":["# + text(of: $0, "delta") + "]}\n\n" }
        events.append(head + #""choices":[],\#(usage)}"# + "\n\n")
        return [.streamHead] + (events + ["data: [DONE]\n\n"]).map { .body(Array($0.utf8)) }
            + [.end]
    }

    private typealias Choice = (index: Int, said: String, logprobs: String, reason: String)

    private static func choice(_ index: Int, of body: [String: Any]) -> Choice {
        let tools = body["tools"] as? [[String: Any]]
        if let function = tools?.first?["function"] as? [String: Any],
            let name = function["name"] as? String
        {
            return (
                index,
                #""content":null,"tool_calls":[{"index":0,"id":"call_1","type":"function","#
                    + #""function":{"name":"\#(name)","arguments":"{}"}}]"#,
                "null", "tool_calls"
            )
        }
        guard body["logprobs"] as? Bool == true else { return (index, said, "null", "stop") }
        let candidate = #""token":"Hi","logprob":-0.5,"bytes":[72,105]"#
        let alternatives = Array(
            repeating: "{\(candidate)}", count: body["top_logprobs"] as? Int ?? 0)
        return (
            index, said,
            #"{"content":[{\#(candidate),"top_logprobs":[\#(alternatives.joined(separator: ","))]}]}"#,
            "stop"
        )
    }

    private static let said = #""content":"Hi""#

    private static func text(of choice: Choice, _ name: String) -> String {
        #"{"index":\#(choice.index),"\#(name)":{"role":"assistant",\#(choice.said)},"#
            + #""logprobs":\#(choice.logprobs),"finish_reason":"\#(choice.reason)"}"#
    }
}
