import TestSupport

/// What the scripted upstream answers to one system's request, as a whole or in pieces. It also
/// says things that no client may ever see.
struct ScriptedCompletion: Sendable {
    /// Two pieces of text, a token each.
    static let pieces = ["Good", " day."]
    /// What stands in answers of backends and must not reach a client.
    static let secret = "leaks-from-the-backend"

    /// How many choices it gives.
    var choices = 1
    /// Whether it reasons first.
    var reasons = false
    /// Whether it tells whom it speaks to, as gpt-oss does.
    var tellsChannels = false
    /// Whether each token's probability is told.
    var tellsLogprobs = false
    /// Whether it calls `get_weather` after the text.
    var callsFunction = false
    /// Whether that call is told in OpenAI's older form.
    var isLegacyCall = false
    /// Whether it tells its service tier and cites a page, as OpenAI does.
    var isOfficial = false
    /// Why it ended, as the upstream says it; nil is `stop`, or `tool_calls` after a call.
    var finishReason: String?

    /// 40 tokens of prompt, 16 of them from a cache and 8 written to it, 10 of an image; 12 of
    /// completion, 4 of them of reasoning.
    static let usage =
        #"{"prompt_tokens":40,"completion_tokens":12,"total_tokens":52,"#
        + #""prompt_tokens_details":{"cached_tokens":16,"cache_write_tokens":8,"#
        + #""text_tokens":30,"image_tokens":10},"#
        + #""completion_tokens_details":{"reasoning_tokens":4,"text_tokens":8}}"#

    /// The steps that answer a request, streamed or not, as it was asked for.
    func steps(for request: ScriptedUpstream.Request) -> [ScriptedUpstream.Step] {
        request.text.contains(#""stream":true"#) ? streamed : whole
    }

    private var finish: String {
        finishReason ?? (callsFunction ? (isLegacyCall ? "function_call" : "tool_calls") : "stop")
    }

    // MARK: Whole

    private var whole: [ScriptedUpstream.Step] {
        var message = #""role":"assistant","content":"\#(Self.pieces.joined())""#
        if reasons { message += #","reasoning_content":"Let me think.""# }
        if tellsChannels { message += #","channel":"final""# }
        if isOfficial { message += ",\(Self.annotations)" }
        if callsFunction {
            message +=
                isLegacyCall
                ? #","function_call":\#(Self.function)"#
                : #","tool_calls":[{"id":"call_1","type":"function","function":\#(Self.function)}]"#
        }
        let tokens = Self.pieces.map(Self.logprob).joined(separator: ",")
        let logprobs = tellsLogprobs ? #"{"content":[\#(tokens)]}"# : "null"
        let list = (0..<choices).map {
            #"{"index":\#($0),"message":{\#(message)},"logprobs":\#(logprobs),"#
                + #""finish_reason":"\#(finish)"}"#
        }
        return ScriptedUpstream.Step.json(
            200,
            #"{"id":"\#(Self.secret)","object":"chat.completion","created":1,"#
                + #""model":"\#(Self.secret)","provider":"\#(Self.secret)",\#(tier)"#
                + moderation
                + #""choices":[\#(list.joined(separator: ","))],"usage":\#(Self.usage),"#
                + #""timings":{"prompt_n":40},"__verbose":"\#(Self.secret)"}"#)
    }

    // MARK: Streamed

    private var streamed: [ScriptedUpstream.Step] {
        var steps: [ScriptedUpstream.Step] = [.streamHead]
        for index in 0..<choices {
            steps.append(chunk(index, #"{"role":"assistant","content":null}"#))
            if reasons {
                steps.append(chunk(index, #"{"reasoning_content":"Let me"}"#))
                steps.append(chunk(index, #"{"reasoning_content":" think."}"#))
            }
            for piece in Self.pieces {
                let channel = tellsChannels ? #","channel":"final""# : ""
                steps.append(
                    chunk(
                        index, #"{"content":"\#(piece)"\#(channel)}"#,
                        logprobs: tellsLogprobs ? #"{"content":[\#(Self.logprob(piece))]}"# : nil))
            }
            if isOfficial { steps.append(chunk(index, "{\(Self.annotations)}")) }
            if callsFunction { steps += call(index) }
            steps.append(chunk(index, "{}", finish: finish))
        }
        if isOfficial { steps.append(.event(#"{\#(moderation)"choices":[]}"#)) }
        return steps + [
            .event(#"{"choices":[],"usage":\#(Self.usage),"timings":{"prompt_n":40}}"#),
            .event("[DONE]"), .end,
        ]
    }

    private func call(_ index: Int) -> [ScriptedUpstream.Step] {
        let first = #"{"name":"get_weather","arguments":"{\"city\":"}"#
        let second = #"{"arguments":"\"Paris\"}"}"#
        if isLegacyCall {
            return [first, second].map { chunk(index, #"{"function_call":\#($0)}"#) }
        }
        return [
            chunk(
                index,
                #"{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":\#(first)}]}"#
            ),
            chunk(index, #"{"tool_calls":[{"index":0,"function":\#(second)}]}"#),
        ]
    }

    private func chunk(
        _ index: Int, _ delta: String, logprobs: String? = nil, finish: String? = nil
    ) -> ScriptedUpstream.Step {
        .event(
            #"{"id":"\#(Self.secret)","object":"chat.completion.chunk","created":1,"#
                + #""model":"\#(Self.secret)",\#(tier)"choices":[{"index":\#(index),"delta":\#(delta),"#
                + #""logprobs":\#(logprobs ?? "null"),"#
                + #""finish_reason":\#(finish.map { "\"\($0)\"" } ?? "null")}]}"#)
    }

    // MARK: Parts

    private var tier: String { isOfficial ? #""service_tier":"flex","# : "" }

    private var moderation: String {
        isOfficial ? #""moderation":{"input":\#(Self.judged),"output":\#(Self.judged)},"# : ""
    }

    private static let judged =
        #"{"type":"moderation_results","model":"omni","results":[{"type":"moderation_result","#
        + #""model":"omni","flagged":false,"categories":{"hate":false},"#
        + #""category_scores":{"hate":0.25},"category_applied_input_types":{"hate":["text"]}}]}"#

    private static let annotations =
        #""annotations":[{"type":"url_citation","url_citation":{"start_index":0,"end_index":4,"#
        + #""title":"Weather","url":"https://example.org/"}}]"#

    private static let function =
        #"{"name":"get_weather","arguments":"{\"city\":\"Paris\"}"}"#

    /// A token with two alternatives: itself, and one that is impossible, as llama-server says it.
    private static func logprob(_ piece: String) -> String {
        let bytes = piece.utf8.map { String($0) }.joined(separator: ",")
        let token = #""id":7,"token":"\#(piece)","bytes":[\#(bytes)],"logprob":-0.25"#
        return #"{\#(token),"top_logprobs":[{\#(token)},"#
            + #"{"token":"No","bytes":null,"logprob":-3.4028234663852886e38}]}"#
    }
}
