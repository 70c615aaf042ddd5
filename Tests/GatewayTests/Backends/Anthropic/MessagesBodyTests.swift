import Testing

@testable import Gateway

@Suite struct MessagesBodies {
    /// Members of a request and what is sent for them, by name.
    struct Row: Sendable, CustomTestStringConvertible {
        let members: String
        let name: String
        let sent: String?
        var testDescription: String { members }

        init(_ members: String, _ name: String, _ sent: String?) {
            (self.members, self.name, self.sent) = (members, name, sent)
        }
    }

    private func check(_ row: Row) throws {
        let written = try WrittenMessage(row.members)
        #expect(written.refusal == nil)
        #expect(try written[row.name] == row.sent.map(WrittenMessage.sorted), "\(row.name)")
    }

    @Test func `a request that asks for nothing is the model, the bound and the messages`() throws {
        let written = try WrittenMessage("", bound: 77)
        #expect(written.names == ["model", "max_tokens", "stream", "messages"])
        #expect(written["model"] == #""claude-9""# && written["max_tokens"] == "77")
        #expect(
            written["messages"]
                == #"[{"content":[{"text":"hi","type":"text"}],"role":"user"}]"#)
    }

    static let parameters = [
        Row(#""stream":true"#, "stream", "true"), Row(#""stream":false"#, "stream", "true"),
        Row(#""temperature":0.25"#, "temperature", "0.25"),
        Row(#""temperature":0"#, "temperature", "0"),
        Row(#""temperature":1"#, "temperature", nil),
        Row(#""do_sample":false"#, "temperature", "0"),
        Row(#""temperature":0.5,"top_p":1"#, "top_p", nil),
        Row(#""temperature":1,"top_p":0.9"#, "top_p", "0.9"),
        Row(#""top_p":0"#, "top_p", "0"), Row(#""top_k":40"#, "top_k", "40"),
        Row(#""stop":"a""#, "stop_sequences", #"["a"]"#),
        Row(#""stop":["a b"," c"]"#, "stop_sequences", #"["a b"," c"]"#),
        Row(#""user":"u-1""#, "metadata", #"{"user_id":"u-1"}"#),
        Row(#""safety_identifier":"s","user":"u""#, "metadata", #"{"user_id":"s"}"#),
        Row(#""metadata":{"a":"b"}"#, "metadata", nil),
        Row(#""prompt_cache_key":"k""#, "cache_control", #"{"type":"ephemeral"}"#),
        Row(
            #""prompt_cache_options":{"mode":"implicit"}"#, "cache_control",
            #"{"type":"ephemeral"}"#),
        Row(
            #""prompt_cache_options":{"mode":"explicit"},"prompt_cache_key":"k""#, "cache_control",
            nil),
        Row(#""prompt_cache_retention":"in-memory""#, "cache_control", nil),
        Row(#""response_format":{"type":"text"}"#, "output_config", nil),
        Row(
            #""response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"#
                + #""schema":{"type":"object","properties":{"a":{"type":"null"}}}}}"#,
            "output_config",
            #"{"format":{"type":"json_schema","schema":{"type":"object","#
                + #""properties":{"a":{"type":"null"}}}}}"#),
        Row(
            #""response_format":{"type":"json_schema","json_schema":{"name":"n","#
                + #""description":"what \"it\" is","schema":{"type":"object"}}}"#,
            "output_config",
            #"{"format":{"type":"json_schema","schema":{"type":"object","#
                + #""description":"what \"it\" is"}}}"#),
        Row(
            #""response_format":{"type":"json_schema","json_schema":{"name":"n","#
                + #""description":"b","schema":{"description":"a"}}}"#,
            "output_config",
            #"{"format":{"type":"json_schema","schema":{"description":"a"}}}"#),
    ]

    @Test(arguments: parameters)
    func `a parameter is sent under the name that the API has for it`(row: Row) throws {
        try check(row)
    }

    private static let functions = #"{"type":"function","function":{"name":"f"}}"#

    static let tools = [
        Row(
            #""tools":[{"type":"function","function":{"name":"f","description":"d","strict":true,"#
                + #""parameters":{"type":"object","properties":{"x":{"type":"integer"}}}}}]"#,
            "tools",
            #"[{"name":"f","description":"d","strict":true,"input_schema":"#
                + #"{"type":"object","properties":{"x":{"type":"integer"}}}}]"#),
        Row(
            #""tools":[\#(functions)]"#, "tools",
            #"[{"name":"f","input_schema":{"type":"object","properties":{}}}]"#),
        Row(
            #""tools":[{"type":"function","function":{"name":"f","parameters":{}}}]"#, "tools",
            #"[{"name":"f","input_schema":{"type":"object"}}]"#),
        Row(
            #""functions":[{"name":"f"}]"#, "tools",
            #"[{"name":"f","input_schema":{"type":"object","properties":{}}}]"#),
        Row(#""tools":[\#(functions)]"#, "tool_choice", nil),
        Row(
            #""tools":[\#(functions)],"tool_choice":"auto""#, "tool_choice", #"{"type":"auto"}"#),
        Row(
            #""tools":[\#(functions)],"tool_choice":"required""#, "tool_choice",
            #"{"type":"any"}"#),
        Row(
            #""tools":[\#(functions)],"tool_choice":"none","parallel_tool_calls":false"#,
            "tool_choice", #"{"type":"none"}"#),
        Row(
            #""tools":[\#(functions)],"tool_choice":\#(functions)"#, "tool_choice",
            #"{"type":"tool","name":"f"}"#),
        Row(
            #""tools":[\#(functions)],"tool_choice":\#(functions),"parallel_tool_calls":false"#,
            "tool_choice", #"{"type":"tool","name":"f","disable_parallel_tool_use":true}"#),
        Row(
            #""tools":[\#(functions)],"parallel_tool_calls":false"#, "tool_choice",
            #"{"type":"auto","disable_parallel_tool_use":true}"#),
        Row(
            #""tools":[\#(functions)],"parallel_tool_calls":true"#, "tool_choice", nil),
        Row(
            #""functions":[{"name":"f"}]"#, "tool_choice",
            #"{"type":"auto","disable_parallel_tool_use":true}"#),
        Row(#""tools":[]"#, "tools", nil),
    ]

    @Test(arguments: tools)
    func `functions are tools, and the choice among them is the API's`(row: Row) throws {
        try check(row)
    }
}
