import Foundation
import JSON
import TestSupport

/// Answers as the demo model does, as OpenAI's API would.
enum ScriptedDemoModel {
    private static let tokens = [
        "The", " capital", " of", " F", "r", "an", "ce", " is", " P", "ar", "is", ".", "",
    ]

    @Sendable static func answer(_ request: ScriptedUpstream.Request) -> [ScriptedUpstream.Step] {
        guard request.path == "/v1/chat/completions", request.method == "POST",
            let root = try? JSONParser(
                maximumBytes: 1 << 20, maximumDepth: 32, maximumNodes: 10_000
            ).parse(request.body).root,
            let bound = root["max_completion_tokens"]?.integer
        else { return ScriptedUpstream.Step.json(400, #"{"error":{"message":"bad"}}"#) }
        if request.body.count > 8000 {
            return ScriptedUpstream.Step.json(
                400,
                #"{"error":{"message":"This model's maximum context length is 1024 tokens. However, your "#
                    + #"messages resulted in 2010 tokens.","type":"invalid_request_error","#
                    + #""param":"messages","code":"context_length_exceeded"}}"#)
        }
        if request.text.contains("story") {
            return [.streamHead] + (0..<3).map { .say(" word\($0)") } + [.silence]
        }
        let said = tokens.prefix(Int(bound))
        let reason = said.count == tokens.count ? "stop" : "length"
        guard root["stream"]?.bool == true else {
            return ScriptedUpstream.Step.json(
                200,
                #"{"choices":[{"index":0,"message":{"role":"assistant","content":"\#(said.joined())"},"#
                    + #""finish_reason":"\#(reason)"}],"usage":{"prompt_tokens":18,"#
                    + #""completion_tokens":\#(said.count),"total_tokens":\#(18 + said.count)}}"#)
        }
        return [.streamHead] + said.map { .say($0) }
            + ScriptedUpstream.Step.finish(prompt: 18, completion: said.count, reason: reason)
    }
}
