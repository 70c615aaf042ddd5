import TestSupport
import Testing

extension ConformanceSystem {
    /// Prediction Guard: its page, and what its own clients send.
    static let predictionGuard = ConformanceSystem(
        name: "Prediction Guard", word: "conformance-predictionguard", path: "/chat/completions",
        model: .union,
        request: predictionGuardRequest,
        completion: ScriptedCompletion(reasons: true, callsFunction: true),
        parameters: predictionGuardParameters + predictionGuardChecks,
        fields: .all(
            .envelope(finishReason: "tool_calls", words: ["stop", "length"]), .countDetails,
            .deltas, .calls, predictionGuardFields),
        engineLeavesOut: ["tools", "tool_choice", "parallel_tool_calls"],
        keyOptions: ["--mirror-reasoning"], leftOut: ["choices[0].generated_text"])

    private static let predictionGuardRequest = #"""
        "messages":[
          {"role":"system","content":"Be kind."},
          {"role":"user","content":[
            {"type":"text","text":"conformance-predictionguard ann@example.org"},
            {"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]},
          {"role":"assistant","content":"Which city?"},
          {"role":"user","content":"Paris."}],
        "max_completion_tokens":64,"max_tokens":64,"temperature":1.5,"top_p":0.99,"top_k":50,
        "frequency_penalty":0,"presence_penalty":0,"logit_bias":{"10":-1},"stop":["###"],
        "tools":[{"type":"function","function":{"name":"get_weather","parameters":
          {"type":"object","properties":{"city":{"type":"string"}}}}}],
        "tool_choice":"auto","parallel_tool_calls":true,"reasoning_effort":"medium",
        "input":{"block_prompt_injection":true,"pii":"replace","pii_replace_method":"category",
          "entity_list":["URL"]},
        "output":{"factuality":false,"toxicity":false}
        """#

    private static let predictionGuardParameters: [PageParameter] = [
        .sent("model", becomes: #""union""#),
        .sent("messages", at: "messages[0]"),
        .probed(
            "messages (a string)", #""messages":"Hello""#, told: "messages",
            #"[{"role":"user","content":"Hello"}]"#),
        .sent("messages[].role", at: "messages[1].role"),
        .sent("messages[].content", at: "messages[2].content"),
        .sent(
            "messages[] part text", at: "messages[1].content[0].text",
            becomes: #""conformance-predictionguard <EMAIL_ADDRESS>""#),
        .sent("messages[] part image_url", at: "messages[1].content[1]"),
        .sent("max_completion_tokens"), .sent("max_tokens", told: "max_completion_tokens"),
        .sent("temperature"), .sent("top_p"), .sent("top_k"), .sent("frequency_penalty"),
        .sent("presence_penalty"), .sent("logit_bias"), .sent("stop"),
        .streamed("stream"), .streamed("stream_options.include_usage"),
        .sent("tools"), .sent("tool_choice"), .sent("parallel_tool_calls"),
        .sent("reasoning_effort"),
        .judged(
            "input.pii", #""input":{"pii":"block"},"messages":"I am ann@example.org""#,
            code: "pii_detected", parameter: "messages"),
        .probed(
            "input.pii_replace_method",
            #""input":{"pii":"replace","pii_replace_method":"mask"},"messages":"ann@example.org""#,
            told: "messages[0].content", #""***************""#),
        .probed(
            "input.entity_list",
            #""input":{"pii":"replace","entity_list":["EMAIL_ADDRESS"]},"#
                + #""messages":"ann@example.org""#,
            told: "messages[0].content", #""ann@example.org""#),
    ]

    /// What a judge finds in the texts below.
    private static let predictionGuardChecks: [PageParameter] = [
        .judged(
            "input.block_prompt_injection",
            #""input":{"block_prompt_injection":true},"messages":"conformance-bad words""#,
            code: "prompt_injection_detected", parameter: "messages"),
        .judged(
            "output.factuality",
            #""output":{"factuality":true},"messages":"conformance-bad words""#,
            code: "factuality_check_failed", parameter: "output.factuality"),
        .judged(
            "output.toxicity", #""output":{"toxicity":true},"messages":"Say conformance-toxic""#,
            code: "toxicity_check_failed", parameter: "output.toxicity"),
    ]

    private static let predictionGuardFields: [PageField] = [
        .field(
            "choices[].message.reasoning", at: "choices[0].message.reasoning",
            .exactly(#""Let me think.""#)
        ).notOfEngine,
        .field("usage.prompt_tokens_details.audio_tokens", .exactly("0")),
        .field("usage.completion_tokens_details.audio_tokens", .exactly("0")),
    ]
}

extension ConformanceSystem {
    /// A judge to whom a text with a certain word is bad, and an upstream that says it.
    static func writeJudge(to scripts: ScriptBook) {
        scripts.write("conformance-toxic") { _ in
            ScriptBook.answer("conformance-bad", prompt: 7, completion: 3)
        }
        scripts.write("FAIL or PASS?") { request in
            let verdict = request.text.contains("conformance-bad") ? "FAIL" : "PASS"
            return ScriptBook.answer(verdict, prompt: 30, completion: 1)
        }
    }
}
