import TestSupport
import Testing

extension ConformanceSystem {
    /// OpenAI's Chat Completions.
    static let openAI = ConformanceSystem(
        name: "OpenAI", word: "conformance-openai", path: "/v1/chat/completions", model: .openAI,
        request: openAIMessages + "," + openAISampling + "," + openAIRest,
        completion: ScriptedCompletion(
            choices: 2, tellsLogprobs: true, callsFunction: true, isOfficial: true),
        parameters: openAIMessageParameters + openAIParameters,
        fields: .all(
            .envelope(
                finishReason: "tool_calls",
                words: ["stop", "length", "tool_calls", "content_filter", "function_call"]),
            .countDetails, .deltas, .calls, .callDeltas, .logprobs, openAIFields),
        engineLeavesOut: [
            "tools", "tool_choice", "parallel_tool_calls", "response_format", "verbosity",
            "prediction", "store", "service_tier", "web_search_options", "moderation",
            "prompt_cache_options", "prompt_cache_retention",
        ],
        streamOptions: #""include_usage":true,"include_obfuscation":true"#)

    private static let openAIMessages = #"""
        "messages":[
          {"role":"system","content":"Be kind."},
          {"role":"developer","content":[{"type":"text","text":"Be brief."}],"name":"ops"},
          {"role":"user","content":[{"type":"text","text":"conformance-openai"},
            {"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo=","detail":"low"}}]},
          {"role":"assistant","content":null,"tool_calls":[{"id":"call_0","type":"function",
            "function":{"name":"get_weather","arguments":"{\"city\":\"Rome\"}"}}]},
          {"role":"tool","tool_call_id":"call_0","content":"Sunny."},
          {"role":"assistant","content":[{"type":"refusal","refusal":"I would rather not."}]},
          {"role":"assistant","content":null,"refusal":"I cannot."},
          {"role":"user","content":"And Paris? Say it in JSON.","name":"ann"}]
        """#

    private static let openAISampling = #"""
        "max_completion_tokens":64,"max_tokens":64,"temperature":0.5,"top_p":0.9,
        "frequency_penalty":0.25,"presence_penalty":-0.25,"logit_bias":{"10":-100},"seed":-7,
        "stop":["###","END"],"n":2,"logprobs":true,"top_logprobs":2
        """#

    private static let openAIRest = #"""
        "tools":[{"type":"function","function":{"name":"get_weather","description":"Tells it.",
          "parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]},
          "strict":true}}],
        "tool_choice":{"type":"function","function":{"name":"get_weather"}},
        "parallel_tool_calls":false,
        "response_format":{"type":"json_schema","json_schema":{"name":"city","description":"One.",
          "schema":{"type":"object"},"strict":false}},
        "reasoning_effort":"minimal","verbosity":"low","user":"ann","safety_identifier":"s-1",
        "prompt_cache_key":"k-1","prompt_cache_options":{"mode":"explicit","ttl":"30m"},"prompt_cache_retention":"24h",
        "metadata":{"run":"7"},"store":true,"service_tier":"flex","modalities":["text"],
        "web_search_options":{"search_context_size":"low","user_location":{"type":"approximate",
          "approximate":{"city":"Rome","country":"IT","region":"Lazio","timezone":"Europe/Rome"}}},
        "moderation":{"model":"omni-moderation-latest",
          "policy":{"input":{"mode":"block"},"output":{"mode":"score"}}},
        "prediction":{"type":"content","content":"Paris is sunny."}
        """#

    private static let openAIMessageParameters: [PageParameter] = [
        .sent("model", becomes: #""sights""#),
        .sent("messages", at: "messages[0]"),
        .sent("messages[].role", at: "messages[1].role"),
        .sent("messages[].content", at: "messages[4].content"),
        .sent("messages[].name", at: "messages[7].name"),
        .sent("messages[].tool_calls", at: "messages[3].tool_calls"),
        .sent("messages[].tool_call_id", at: "messages[4].tool_call_id"),
        .sent("messages[].refusal", at: "messages[6].refusal", told: "messages[6].content"),
        .sent("messages[] part text", at: "messages[2].content[0]"),
        .sent("messages[] part image_url", at: "messages[2].content[1]"),
        .sent(
            "messages[] part refusal", at: "messages[5].content[0].refusal",
            told: "messages[5].content[0].text"),
        .media("input_audio", #"{"data":"\#(ConformanceMedia.wav)","format":"wav"}"#),
        .media("file", #"{"filename":"a.pdf","file_data":"data:application/pdf;base64,AAAA"}"#),
        .probed(
            "messages[] part file (by id)",
            ConformanceMedia.members("file", #"{"file_id":"file-1"}"#),
            told: "messages[0].content[0].file.file_id", #""file-1""#),
    ]

    private static let openAIParameters: [PageParameter] =
        [
            .sent("max_completion_tokens"),
            .sent("max_tokens", told: "max_completion_tokens"),
            .sent("temperature"), .sent("top_p"), .sent("frequency_penalty"),
            .sent("presence_penalty"), .sent("logit_bias"), .sent("seed"), .sent("stop"),
            .sent("n"),
            .streamed("stream"), .streamed("stream_options.include_usage"),
            .own("stream_options.include_obfuscation"),
            .sent("logprobs"), .sent("top_logprobs"),
            .sent("tools"), .sent("tools[].function.strict", at: "tools[0].function.strict"),
            .sent("tool_choice"), .sent("parallel_tool_calls"),
            .probed("stop (a string)", #""stop":"END""#, told: "stop", #"["END"]"#),
            .probed(
                "response_format json_object", #""response_format":{"type":"json_object"}"#,
                told: "response_format", #"{"type":"json_object"}"#),
        ] + openAIChoices + openAICustomTools + [
            .sent("response_format"), .sent("reasoning_effort"), .sent("verbosity"),
            .sent("user"), .sent("safety_identifier"), .sent("prompt_cache_key"),
            .sent("prompt_cache_options"), .sent("prompt_cache_retention"),
            .answered("metadata"), .sent("store"), .sent("service_tier"), .sent("prediction"),
            .sent("web_search_options"), .sent("moderation"),
            .probed(
                "modalities", openAISpeech, told: "modalities", #"["text","audio"]"#),
            .probed(
                "audio", openAISpeech, told: "audio", #"{"voice":"alloy","format":"mp3"}"#),
            .probed(
                "audio (a voice of one's own)",
                #""modalities":["audio"],"audio":{"voice":{"id":"voice_1"},"format":"wav"}"#,
                told: "audio.voice", #"{"id":"voice_1"}"#),
            .probed(
                "messages[].audio",
                #""messages":[{"role":"assistant","audio":{"id":"a"}},{"role":"user","content":"x"}]"#,
                told: "messages[0].audio", #"{"id":"a"}"#),
            .probed(
                "prediction (in parts)",
                #""prediction":{"type":"content","content":[{"type":"text","text":"x"}]}"#,
                told: "prediction.content[0].text", #""x""#),
        ]

    /// The words that `tool_choice` may be.
    private static let openAIChoices: [PageParameter] = ["none", "auto", "required"].map { word in
        .probed(
            "tool_choice \(word)",
            #""tools":[{"type":"function","function":{"name":"x"}}],"tool_choice":"\#(word)""#,
            told: "tool_choice", "\"\(word)\"")
    }

    private static let custom =
        #"{"type":"custom","custom":{"name":"x","description":"One.","#
        + #""format":{"type":"grammar","grammar":{"definition":"a+","syntax":"regex"}}}}"#
    private static let allowed =
        #"{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":"#
        + #"[{"type":"custom","custom":{"name":"x"}}]}}"#
    private static let chosen = #"{"type":"custom","custom":{"name":"x"}}"#
    private static let customCall =
        #"{"id":"c","type":"custom","custom":{"name":"x","input":"aa"}}"#

    /// Tools that take a text, in all the places where they may stand.
    private static let openAICustomTools: [PageParameter] = [
        .probed("tools[].type custom", #""tools":[\#(custom)]"#, told: "tools[0]", custom),
        .probed(
            "tool_choice.type custom", #""tools":[\#(custom)],"tool_choice":\#(chosen)"#,
            told: "tool_choice", chosen),
        .probed(
            "tool_choice.type allowed_tools",
            #""tools":[\#(custom)],"tool_choice":\#(allowed)"#, told: "tool_choice", allowed),
        .probed(
            "messages[].tool_calls[].type custom",
            #""messages":[{"role":"assistant","content":null,"tool_calls":[\#(customCall)]},"#
                + #"{"role":"tool","tool_call_id":"c","content":"x"}]"#,
            told: "messages[0].tool_calls[0]", customCall),
    ]

    private static let openAISpeech =
        #""modalities":["text","audio"],"audio":{"voice":"alloy","format":"mp3"}"#

    private static let openAIFields: [PageField] = [
        .field("system_fingerprint", .text("fp_")),
        .field("service_tier", .exactly(#""flex""#)).notOfEngine,
        .field(
            "choices[].message.annotations[].url_citation.url",
            at: "choices[0].message.annotations[0].url_citation.url", .text("https://")
        ).notOfEngine,
        .field("choices[].message.refusal", at: "choices[0].message.refusal", .null).onlyPlain,
        .field("choices[].logprobs.refusal", at: "choices[0].logprobs.refusal", .null).onlyPlain,
        .field("metadata", .exactly(#"{"run":"7"}"#)).onlyPlain,
        .field("moderation.input.type", .exactly(#""moderation_results""#)).notOfEngine,
        .field(
            "moderation.output.results[].category_scores.hate",
            at: "moderation.output.results[0].category_scores.hate", .exactly("0.25")
        ).notOfEngine,
        .field("usage.prompt_tokens_details.audio_tokens", .exactly("0")),
        .field("usage.prompt_tokens_details.cache_write_tokens", .exactly("8")),
        .field("usage.completion_tokens_details.audio_tokens", .exactly("0")),
        .field("usage.prompt_tokens_details.text_tokens", .exactly("30")).notOfEngine,
        .field("usage.prompt_tokens_details.image_tokens", .exactly("10")).notOfEngine,
        .field("usage.completion_tokens_details.text_tokens", .exactly("8")).notOfEngine,
        .field("obfuscation", .text()).onlyStreamed,
        .field("usage (null before the end)", at: "usage", .null).onlyStreamed,
    ]
}

extension EndToEnd.Conformance {
    @Test(.timeLimit(.minutes(1)), arguments: [false, true])
    func `OpenAI's older functions are offered as tools and called in the older form`(
        streams: Bool
    ) async throws {
        let gateway = try ServedGateway.current()
        try await onOwnThread {
            let completion = ScriptedCompletion(callsFunction: true)
            gateway.scripts.write("conformance-legacy") { completion.steps(for: $0) }
            let reply = try gateway.post(
                try gateway.makeKey(),
                #"""
                {"model":"sights","messages":[{"role":"user","content":"conformance-legacy"},
                  {"role":"assistant","content":null,
                    "function_call":{"name":"get_weather","arguments":"{}"}},
                  {"role":"function","name":"get_weather","content":"Sunny."}],
                "functions":[{"name":"get_weather","parameters":{"type":"object"}}],
                "function_call":{"name":"get_weather"},"stream":\#(streams)}
                """#)
            let answer = try ConformanceAnswer(reply, streams: streams).whole
            #expect(answer["choices[0].finish_reason"]?.text == "function_call")
            #expect(answer["choices[0].message.function_call.name"]?.text == "get_weather")
            let arguments = answer["choices[0].message.function_call.arguments"]?.text
            #expect(arguments == #"{"city":"Paris"}"#)
            #expect(answer["choices[0].message.tool_calls"] == nil)
            let told = try JSONNode(gateway.upstream.requests.last?.text ?? "")
            #expect(told["tools[0].function.name"]?.text == "get_weather")
            #expect(told["tool_choice.function.name"]?.text == "get_weather")
            #expect(told["messages[1].tool_calls[0].function.name"]?.text == "get_weather")
            #expect(told["messages[2].role"]?.text == "tool")
        }
    }
}
