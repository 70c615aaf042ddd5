import Testing

extension ConformanceSystem {
    /// SambaNova Cloud: its page, and what its other public material adds.
    static let sambaNova = ConformanceSystem(
        name: "SambaNova Cloud", word: "conformance-sambanova", path: "/v1/chat/completions",
        model: .union,
        request: sambaNovaRequest,
        completion: ScriptedCompletion(
            choices: 2, reasons: true, tellsChannels: true, tellsLogprobs: true,
            callsFunction: true),
        parameters: sambaNovaParameters,
        fields: .all(
            .envelope(finishReason: "tool_calls", words: ["stop", "length", "tool_calls"]),
            .deltas, .calls, .callDeltas, .logprobs, sambaNovaFields),
        engineLeavesOut: ["tools", "tool_choice", "parallel_tool_calls", "response_format"],
        keyOptions: ["--mirror-reasoning"],
        leftOut: [
            "usage.acceptance_rate", "usage.time_to_first_token_graph",
            "usage.completion_tokens_after_first_per_sec_graph",
            "usage.completion_tokens_after_first_per_sec_first_ten",
        ])

    private static let sambaNovaRequest = #"""
        "messages":[
          {"role":"system","content":"Be kind."},
          {"role":"user","content":[{"type":"text","text":"conformance-sambanova"},
            {"type":"image_url","image_url":{"url":"data:image/jpeg;base64,/9j/4AAQ"}}]},
          {"role":"assistant","content":"Which city?","reasoning":"They named none.",
            "channel":"final"},
          {"role":"assistant","content":null,"tool_calls":[{"id":"call_0","type":"function",
            "function":{"name":"get_weather","arguments":"{}"}}]},
          {"role":"tool","tool_call_id":"call_0","content":"Sunny."},
          {"role":"user","content":"Paris. Answer in JSON."}],
        "max_tokens":64,"max_completion_tokens":64,"temperature":0.7,"top_p":0.9,"top_k":100,
        "frequency_penalty":0.5,"presence_penalty":0.5,"logit_bias":{"10":1},"seed":1,
        "stop":"END","n":2,"logprobs":true,"top_logprobs":5,"do_sample":true,
        "tools":[{"type":"function","function":{"name":"get_weather","parameters":
          {"type":"object","properties":{"city":{"type":"string"}}}}}],
        "tool_choice":"required","parallel_tool_calls":true,
        "response_format":{"type":"json_object"},
        "reasoning_effort":"high","chat_template_kwargs":{"enable_thinking":true}
        """#

    private static let sambaNovaParameters: [PageParameter] = [
        .sent("model", becomes: #""union""#),
        .sent("messages", at: "messages[0]"),
        .sent("messages[].role", at: "messages[4].role"),
        .sent("messages[].content", at: "messages[5].content"),
        .sent("messages[].tool_calls", at: "messages[3].tool_calls"),
        .sent("messages[].tool_call_id", at: "messages[4].tool_call_id"),
        .sent(
            "messages[].reasoning", at: "messages[2].reasoning",
            told: "messages[2].reasoning_content"),
        .sent("messages[] part text", at: "messages[1].content[0]"),
        .sent("messages[] part image_url", at: "messages[1].content[1]"),
        .sent("max_tokens", told: "max_completion_tokens"), .sent("max_completion_tokens"),
        .sent("temperature"), .sent("top_p"), .sent("top_k"),
        .sent("frequency_penalty"), .sent("presence_penalty"), .sent("logit_bias"), .sent("seed"),
        .sent("stop", becomes: #"["END"]"#), .sent("n"),
        .sent("logprobs"), .sent("top_logprobs"),
        .probed(
            "do_sample", #""do_sample":false,"temperature":0.7"#, told: "temperature", "0"),
        .sent("tools"), .sent("tool_choice"), .sent("parallel_tool_calls"),
        .probed(
            "tool_choice auto",
            #""tools":[{"type":"function","function":{"name":"x"}}],"tool_choice":"auto""#,
            told: "tool_choice", #""auto""#),
        .probed(
            "response_format json_schema",
            #""response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{}}}"#,
            told: "response_format.json_schema.name", #""x""#),
        .sent("response_format"), .sent("reasoning_effort"),
        .sent(
            "chat_template_kwargs", at: "chat_template_kwargs.enable_thinking",
            told: "enable_thinking"),
        .streamed("stream"), .streamed("stream_options.include_usage"),
        .sent("messages[].channel", at: "messages[2].channel"),
        .media(
            "audio_content", #"{"content":"\#(ConformanceMedia.mp3)"}"#, told: "input_audio",
            becomes: #"{"data":"\#(ConformanceMedia.mp3)","format":"mp3"}"#),
        .media("video_url", #"{"url":"data:video/mp4;base64,AAAA"}"#),
    ]

    private static let sambaNovaFields: [PageField] = [
        .field("system_fingerprint", .text("fp_")),
        .field(
            "choices[].message.reasoning", at: "choices[0].message.reasoning",
            .exactly(#""Let me think.""#)
        ).notOfEngine,
        .field(
            "choices[].delta.reasoning", at: "choices[0].delta.reasoning",
            .exactly(#""Let me""#)
        ).onlyStreamed.notOfEngine,
        .field(
            "choices[].message.channel", at: "choices[0].message.channel", .exactly(#""final""#)
        ).notOfEngine,
        .field(
            "choices[].delta.channel", at: "choices[0].delta.channel", .exactly(#""final""#)
        ).onlyStreamed.notOfEngine,
        .field("usage.prompt_tokens_details.cached_tokens", .exactly("16")),
        .field("usage.input_tokens_count", .same(as: "usage.prompt_tokens")),
        .field("usage.output_tokens_count", .same(as: "usage.completion_tokens")),
        .field("usage.total_tokens_count", .same(as: "usage.total_tokens")),
        .field("usage.time_to_first_token", .measure),
        .field("usage.throughput_after_first_token", .measure),
        .field("usage.model_execution_time", .measure),
        .field("usage.queue_time", .measure),
        .field("usage.total_latency", .measure),
        .field("usage.completion_tokens_per_sec", .measure),
        .field(
            "usage.completion_tokens_after_first_per_sec",
            .same(as: "usage.throughput_after_first_token")),
        .field("usage.total_tokens_per_sec", .measure),
        .field("usage.start_time", .measure), .field("usage.end_time", .measure),
        .field("usage.is_last_response", .exactly("true")),
        .field("usage.stop_reason", .same(as: "choices[0].finish_reason")),
    ]
}

extension EndToEnd.Conformance {
    @Test(.timeLimit(.minutes(1)), arguments: [false, true])
    func `a key for SambaNova's clients finds reasoning under their name too, and no other does`(
        streams: Bool
    ) async throws {
        let gateway = try ServedGateway.current()
        try await onOwnThread {
            let key = try gateway.makeKey(more: ["--mirror-reasoning"])
            let shown = try gateway.administer(["key", "show", key.id])
            #expect(shown["mirror_reasoning"] as? Bool == true)
            let answer = try ConformanceSystem.sambaNova.ask(gateway, key, streams: streams).answer
            let message = try #require(answer.whole["choices[0].message"])
            #expect(message["reasoning"]?.text == "Let me think.")
            #expect(message["reasoning_content"]?.text == "Let me think.")
            let other = try gateway.makeKey()
            #expect(
                try gateway.administer(["key", "show", other.id])["mirror_reasoning"] as? Bool
                    == false)
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: [false, true])
    func `SambaNova's timings are of this answer: they follow each other and fit the clock`(
        streams: Bool
    ) async throws {
        let gateway = try ServedGateway.current()
        try await onOwnThread {
            let key = try gateway.makeKey()
            let began = ContinuousClock.now
            let answer = try ConformanceSystem.sambaNova.askEngine(gateway, key, streams: streams)
            let elapsed = (ContinuousClock.now - began) / .seconds(1)
            let usage = try #require(answer.whole["usage"])
            func value(_ name: String) throws -> Double { try #require(usage[name]?.number) }
            let first = try value("time_to_first_token")
            let execution = try value("model_execution_time")
            let queue = try value("queue_time")
            #expect(0 < first && first <= execution + queue && execution + queue <= elapsed)
            let tokens = try value("completion_tokens")
            let rate = try value("throughput_after_first_token")
            // Tokens after the first, over the time after the first.
            let rest = execution + queue - first
            #expect(tokens > 2 && abs(rate * rest - (tokens - 1)) <= 0.01 * tokens + rate * 1e-5)
        }
    }
}
