import Testing

@testable import Gateway

@Suite struct MessagesThoughts {
    private typealias Models = AnthropicUpstreamConfiguration.Thinking
    private static let budgets = Models.budgeted(.init())

    @Test(arguments: [
        ("minimal", 1024), ("low", 2048), ("medium", 8192), ("high", 16_384), ("xhigh", 32_768),
        ("max", 65_536),
    ])
    func `an effort is a budget of tokens`(effort: String, tokens: Int) throws {
        let written = try WrittenMessage(#""reasoning_effort":"\#(effort)""#, bound: 100_000)
        #expect(written["thinking"] == #"{"budget_tokens":\#(tokens),"type":"enabled"}"#)
        #expect(written["output_config"] == nil)
    }

    @Test(arguments: [
        (1025, 1024), (1280, 1024), (2000, 1600), (5000, 4000), (10_241, 8192), (99_999, 8192),
    ])
    func `a budget is less than the bound, and leaves some of it for the answer`(
        bound: Int64, tokens: Int
    ) throws {
        let written = try WrittenMessage(#""enable_thinking":true"#, bound: bound)
        #expect(written["thinking"] == #"{"budget_tokens":\#(tokens),"type":"enabled"}"#)
        #expect(written["max_tokens"] == "\(bound)")
    }

    @Test(arguments: ["minimal", "low", "medium", "high", "xhigh", "max"])
    func `where models decide themselves an effort is their word for it`(effort: String) throws {
        let written = try WrittenMessage(
            #""reasoning_effort":"\#(effort)""#, bound: 16, thinking: .adaptive)
        #expect(written["thinking"] == #"{"display":"summarized","type":"adaptive"}"#)
        let word = effort == "minimal" ? "low" : effort
        #expect(written["output_config"] == #"{"effort":"\#(word)"}"#)
    }

    @Test func `thinking without an effort leaves the effort to the model`() throws {
        let written = try WrittenMessage(#""enable_thinking":true"#, thinking: .adaptive)
        #expect(written["thinking"] == #"{"display":"summarized","type":"adaptive"}"#)
        #expect(written["output_config"] == nil)
        let both = try WrittenMessage(
            #""reasoning_effort":"high","response_format":{"type":"json_schema","json_schema":"#
                + #"{"name":"n","schema":{}}}"#, thinking: .adaptive)
        #expect(
            both["output_config"]
                == #"{"effort":"high","format":{"schema":{},"type":"json_schema"}}"#)
    }

    @Test(arguments: [
        #""reasoning_effort":"none""#, #""enable_thinking":false"#,
        #""enable_thinking":false,"reasoning_effort":"high""#,
        #""chat_template_kwargs":{"enable_thinking":false}"#,
    ])
    func `who wants no thoughts says so, where there could be any`(members: String) throws {
        for models in [Self.budgets, .adaptive] {
            let written = try WrittenMessage(members, thinking: models)
            #expect(written["thinking"] == #"{"type":"disabled"}"#)
        }
        #expect(try WrittenMessage(members, thinking: .unavailable)["thinking"] == nil)
        #expect(try WrittenMessage(members, thinking: .unavailable).refusal == nil)
    }

    @Test func `models that cannot but think are not told otherwise`() throws {
        func refusal(_ members: String) throws -> String? {
            try WrittenMessage(members, thinking: .always).refusal
        }
        #expect(try refusal(#""reasoning_effort":"none""#) == "reasoning_effort")
        #expect(try refusal(#""enable_thinking":false"#) == "enable_thinking")
        #expect(
            try refusal(#""enable_thinking":false,"reasoning_effort":"high""#)
                == "enable_thinking")
        let written = try WrittenMessage(#""reasoning_effort":"high""#, thinking: .always)
        #expect(written["thinking"] == #"{"display":"summarized","type":"adaptive"}"#)
        #expect(try WrittenMessage("", thinking: .always)["thinking"] == nil)
    }

    @Test func `thoughts that cannot be had are refused by the name they are asked for`() throws {
        let effort = #""reasoning_effort":"low""#
        #expect(try WrittenMessage(effort, thinking: .unavailable).refusal == "reasoning_effort")
        #expect(
            try WrittenMessage(#""enable_thinking":true"#, thinking: .unavailable).refusal
                == "enable_thinking")
        // The least budget has to be below the bound.
        #expect(try WrittenMessage(effort, bound: 1024).refusal == "reasoning_effort")
        #expect(try WrittenMessage(effort, bound: 1025).refusal == nil)
    }

    @Test func `a turn that goes on after calls thinks only where it needs no signature`() throws {
        let members =
            #""reasoning_effort":"low","messages":[{"role":"user","content":"a"},"#
            + #"{"role":"assistant","tool_calls":[{"id":"a","type":"function","#
            + #""function":{"name":"f","arguments":"{}"}}]},"#
            + #"{"role":"tool","tool_call_id":"a","content":"b"}"#
        let loop = try WrittenMessage(members + "]")
        #expect(loop["thinking"] == #"{"type":"disabled"}"#)
        let next = try WrittenMessage(
            members + #",{"role":"assistant","content":"c"},{"role":"user","content":"d"}]"#)
        #expect(next["thinking"] == #"{"budget_tokens":2048,"type":"enabled"}"#)
        let adaptive = try WrittenMessage(members + "]", thinking: .adaptive)
        #expect(adaptive["thinking"] == #"{"display":"summarized","type":"adaptive"}"#)
    }
}
