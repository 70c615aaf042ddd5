import Testing

extension ConformanceSystem {
    /// The self-hosted gateway whose `usage` has Anthropic's cache counters at its top level.
    static let anthropicCounters = ConformanceSystem(
        name: "A gateway with Anthropic's cache counters", word: "conformance-counters",
        path: "/chat/completions",
        model: .openAI, request: countersRequest,
        completion: ScriptedCompletion(choices: 2, tellsLogprobs: true, callsFunction: true),
        parameters: countersParameters,
        fields: .all(
            .envelope(finishReason: "tool_calls", words: ["stop", "length"]), .countDetails,
            .deltas, .calls, .callDeltas, .logprobs,
            [
                .field("system_fingerprint", .text("fp_")),
                .field("usage.cache_creation_input_tokens", .exactly("8")),
                .field(
                    "usage.cache_read_input_tokens",
                    .same(as: "usage.prompt_tokens_details.cached_tokens")),
            ]),
        engineLeavesOut: ["tools", "tool_choice", "response_format"],
        leftOut: ["choices[0].message.name", "choices[0].message.tool_call_id"])

    private static let countersRequest = #"""
        "messages":[
          {"role":"system","content":"Be kind."},
          {"role":"user","content":"conformance-counters","name":"ann"},
          {"role":"assistant","content":null,"name":null,"tool_calls":[{"id":"call_0",
            "type":"function","function":{"name":"get_weather","arguments":"{}"}}]},
          {"role":"tool","tool_call_id":"call_0","content":"Sunny."}],
        "max_completion_tokens":64,"temperature":0.2,"top_p":1,"frequency_penalty":1,
        "presence_penalty":1,"seed":42,"stop":["###","END"],"n":2,"logprobs":true,"top_logprobs":2,
        "tools":[{"type":"function","function":{"name":"get_weather","parameters":
          {"type":"object","properties":{"city":{"type":"string"}}}}}],
        "tool_choice":{"type":"function","function":{"name":"get_weather"}},
        "response_format":{"type":"text"},"user":"ann"
        """#

    private static let countersParameters: [PageParameter] = [
        .sent("model", becomes: #""sights""#),
        .sent("messages", at: "messages[0]"),
        .sent("messages[].role", at: "messages[3].role"),
        .sent("messages[].content", at: "messages[3].content"),
        .sent("messages[].name", at: "messages[1].name"),
        .sent("messages[].tool_calls", at: "messages[2].tool_calls"),
        .sent("messages[].tool_call_id", at: "messages[3].tool_call_id"),
        .sent("max_completion_tokens"), .sent("temperature"), .sent("top_p"),
        .sent("frequency_penalty"), .sent("presence_penalty"), .sent("seed"), .sent("stop"),
        .sent("n"), .streamed("stream"), .streamed("stream_options.include_usage"),
        .sent("logprobs"), .sent("top_logprobs"), .sent("tools"), .sent("tool_choice"),
        .probed(
            "tool_choice none",
            #""tools":[{"type":"function","function":{"name":"x"}}],"tool_choice":"none""#,
            told: "tool_choice", #""none""#),
        .probed(
            "response_format", #""response_format":{"type":"json_object"}"#,
            told: "response_format", #"{"type":"json_object"}"#),
        .sent("user"),
    ]
}
