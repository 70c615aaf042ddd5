import TestSupport
import Testing

extension ConformanceSystem {
    /// MyRouter AI, of the Novita family.
    static let myRouter = ConformanceSystem(
        name: "MyRouter AI", word: "conformance-myrouter", path: "/openai/v1/chat/completions",
        model: .union,
        request: myRouterRequest,
        completion: ScriptedCompletion(
            choices: 2, reasons: true, tellsLogprobs: true, callsFunction: true),
        parameters: myRouterParameters,
        fields: .all(
            .envelope(finishReason: "tool_calls", words: ["stop", "length"]), .deltas, .calls,
            .callDeltas, .logprobs,
            [
                .field(
                    "choices[].message.reasoning_content",
                    at: "choices[0].message.reasoning_content", .exactly(#""Let me think.""#)
                ).notOfEngine,
                .field(
                    "choices[].delta.reasoning_content",
                    at: "choices[0].delta.reasoning_content", .exactly(#""Let me""#)
                ).onlyStreamed.notOfEngine,
            ]),
        engineLeavesOut: ["tools", "response_format"])

    private static let myRouterRequest = #"""
        "messages":[
          {"role":"system","content":"Be kind."},
          {"role":"user","name":"ann","content":[{"type":"text","text":"conformance-myrouter"},
            {"type":"image_url","image_url":"data:image/png;base64,iVBORw0KGgo="}]},
          {"role":"assistant","content":"Which city?","reasoning_content":"They named none."},
          {"role":"user","content":"Paris. Answer in JSON."}],
        "max_tokens":64,"context_length_exceeded_behavior":"error",
        "temperature":1.9,"top_p":1,"top_k":127,"min_p":0.05,"repetition_penalty":1.1,
        "frequency_penalty":-1.9,"presence_penalty":1.9,"logit_bias":{"10":2},"seed":123,
        "stop":["a#","b#","c#","d#"],"n":2,"logprobs":true,"top_logprobs":2,
        "tools":[{"type":"function","function":{"name":"get_weather","parameters":
          {"type":"object","properties":{"city":{"type":"string"}}}}}],
        "response_format":{"type":"json_schema","json_schema":{"name":"city","schema":
          {"type":"object"}}},
        "separate_reasoning":true,"enable_thinking":false
        """#

    private static let myRouterParameters: [PageParameter] = [
        .sent("model", becomes: #""union""#),
        .sent("messages", at: "messages[0]"),
        .sent("messages[].role", at: "messages[2].role"),
        .sent("messages[].content", at: "messages[3].content"),
        .sent("messages[].name", at: "messages[1].name"),
        .sent("messages[].reasoning_content", at: "messages[2].reasoning_content"),
        .sent("messages[] part text", at: "messages[1].content[0]"),
        .sent(
            "messages[] part image_url (a string)", at: "messages[1].content[1].image_url",
            told: "messages[1].content[1].image_url.url"),
        .sent("max_tokens", told: "max_completion_tokens"),
        .sent("temperature"), .sent("top_p"), .sent("top_k"), .sent("min_p"),
        .sent("repetition_penalty"), .sent("frequency_penalty"), .sent("presence_penalty"),
        .sent("logit_bias"), .sent("seed"), .sent("stop"), .sent("n"),
        .judged(
            "context_length_exceeded_behavior",
            #""context_length_exceeded_behavior":"error","max_tokens":64,"#
                + #""messages":"conformance-overflow""#,
            code: "context_length_exceeded", parameter: "messages"),
        .streamed("stream"), .streamed("stream_options.include_usage"),
        .sent("logprobs"), .sent("top_logprobs"), .sent("tools"), .sent("response_format"),
        .probed(
            "response_format json_object", #""response_format":{"type":"json_object"}"#,
            told: "response_format.type", #""json_object""#),
        .probed(
            "separate_reasoning", #""separate_reasoning":false"#, told: "separate_reasoning",
            "false"),
        .sent("enable_thinking"),
        .media("input_audio", #"{"data":"\#(ConformanceMedia.mp3)","format":"mp3"}"#),
        .media(
            "video_url", #""data:video/mp4;base64,AAAA""#,
            becomes: #"{"url":"data:video/mp4;base64,AAAA"}"#),
    ]
}

extension ConformanceSystem {
    /// An upstream with a context of 100 tokens and a prompt of 90, which says so as llama-server
    /// does.
    static func writeOverflow(to scripts: ScriptBook) {
        scripts.write("conformance-overflow") { request in
            let bound = (try? JSONNode(request.text))?["max_completion_tokens"]?.number ?? 0
            if bound <= 10 { return ScriptBook.answer("Good day.", prompt: 90, completion: 3) }
            return ScriptedUpstream.Step.json(
                400,
                #"{"error":{"code":400,"type":"exceed_context_size_error","message":"too long","#
                    + #""n_prompt_tokens":90,"n_ctx":100}}"#)
        }
    }
}

extension EndToEnd.Conformance {
    @Test(.timeLimit(.minutes(1)))
    func `a key for MyRouter's clients gets the usage of every stream, unasked`() async throws {
        let gateway = try ServedGateway.current()
        try await onOwnThread {
            let key = try gateway.makeKey(more: ["--stream-usage"])
            let shown = try gateway.administer(["key", "show", key.id])
            #expect(shown["stream_usage"] as? Bool == true)
            for model in ["union", "demo"] {
                let reply = try gateway.post(
                    key, ServedGateway.prompt("Hello", model: model, more: #","stream":true"#))
                let answer = try ConformanceAnswer(reply, streams: true)
                #expect(answer.chunks.last?["choices"] == .array([]))
                #expect(answer.whole["usage.completion_tokens"]?.number ?? 0 > 0)
                #expect(answer.chunks.dropLast().allSatisfy { $0["usage"] == .null })
            }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `an answer that MyRouter would shorten to fit the context is shortened`() async throws {
        let gateway = try ServedGateway.current()
        try await onOwnThread {
            ConformanceSystem.writeOverflow(to: gateway.scripts)
            let reply = try gateway.post(
                try gateway.makeKey(),
                ServedGateway.prompt(
                    "conformance-overflow", model: "union",
                    more: #","max_tokens":64,"context_length_exceeded_behavior":"truncate""#))
            #expect(reply.status == 200, "\(reply.text)")
            let told = try JSONNode(gateway.upstream.requests.last?.text ?? "")
            #expect(told["max_completion_tokens"] == .number(10))
        }
    }
}
