import Foundation
import TestSupport

/// An upstream that gives whatever it is asked for: choices, logprobs, calls, streams.
enum ObligingAnswer {
    /// The steps that answer a request: of each choice as many pieces as are asked for, then its end.
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
