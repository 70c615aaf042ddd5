import Foundation
import Testing

@testable import Gateway

@Suite struct ToolParameters {
    private static let weather =
        #"{"name":"get_weather","description":"Tells","parameters":{"type":"object","properties":{}},"strict":true}"#
    private static let tools = #""tools":[{"type":"function","function":\#(weather)}]"#

    private func function() throws -> FunctionTool {
        try #require(try readRequest(Self.tools).tools.functions.first)
    }

    @Test func `a function is read with its schema`() throws {
        let function = try function()
        #expect(function.name == "get_weather")
        #expect(function.description == "Tells")
        #expect(function.isStrict == true)
        #expect(
            function.parameters.map { String(decoding: $0.bytes, as: UTF8.self) }
                == #"{"type":"object","properties":{}}"#)
    }

    @Test(arguments: [
        (#""none""#, ToolChoice.none), (#""auto""#, .auto), (#""required""#, .required),
        (#"{"type":"function","function":{"name":"get_weather"}}"#, .function("get_weather")),
    ])
    func `every choice is read`(_ text: String, _ choice: ToolChoice) throws {
        let tools = try readRequest(#"\#(Self.tools),"tool_choice":\#(text)"#).tools
        #expect(tools.choice == choice)
        let before = try readRequest(#""tool_choice":\#(text),\#(Self.tools)"#).tools
        #expect(before == tools)
    }

    @Test func `the older form reads as the newer one, for one call`() throws {
        let request = try readRequest(
            #""functions":[\#(Self.weather)],"function_call":{"name":"get_weather"}"#)
        #expect(request.tools.functions == [try function()])
        #expect(request.tools.choice == .function("get_weather"))
        #expect(request.tools.isLegacy && !request.tools.isParallel)
    }

    @Test(arguments: [
        #""tools":[],"tool_choice":"none","parallel_tool_calls":false"#, #""functions":[]"#,
        #""function_call":"none""#,
    ])
    func `no tools are no tools`(_ members: String) throws {
        #expect(try readRequest(members) == .plain())
    }

    static let refused: [RefusedMembers] = [
        .init(#""tools":{}"#, "tools", .invalidType),
        .init(#""tools":[5]"#, "tools[0]", .invalidType),
        .init(#""tools":[{}]"#, "tools[0].type", .missingRequiredParameter),
        .init(#""tools":[{"type":"magic"}]"#, "tools[0].type", .invalidValue),
        .init(#""tools":[{"type":"function"}]"#, "tools[0].function", .missingRequiredParameter),
        .init(
            #""tools":[{"type":"function","function":{}}]"#, "tools[0].function.name",
            .missingRequiredParameter),
        .init(
            #""tools":[{"type":"function","function":{"name":"a b"}}]"#, "tools[0].function.name",
            .invalidValue),
        .init(
            #""tools":[{"type":"function","function":{"name":"\#(String(repeating: "a", count: 65))"}}]"#,
            "tools[0].function.name", .invalidValue),
        .init(
            #""tools":[{"type":"function","function":{"name":"a","parameters":[]}}]"#,
            "tools[0].function.parameters", .invalidType),
        .init(
            #""tools":[{"type":"function","function":{"name":"a","strict":1}}]"#,
            "tools[0].function.strict", .invalidType),
        .init(
            #""tools":[\#(Array(repeating: "5", count: 129).joined(separator: ","))]"#, "tools",
            .arrayAboveMaxLength),
        .init(#""tool_choice":"auto""#, "tool_choice", .invalidValue),
        .init(#""tool_choice":"required","tools":[]"#, "tool_choice", .invalidValue),
        .init(#""tool_choice":"any",\#(tools)"#, "tool_choice", .invalidValue),
        .init(
            #""tool_choice":{"type":"function","function":{"name":"other"}},\#(tools)"#,
            "tool_choice", .invalidValue),
        .init(
            #""tool_choice":{"type":"allowed_tools"},\#(tools)"#, "tool_choice.allowed_tools",
            .missingRequiredParameter),
        .init(
            #""tool_choice":{"type":"function"},\#(tools)"#, "tool_choice.function",
            .missingRequiredParameter),
        .init(#""parallel_tool_calls":1"#, "parallel_tool_calls", .invalidType),
        .init(#""functions":[\#(weather)],\#(tools)"#, "functions", .invalidValue),
        .init(#""function_call":"auto""#, "function_call", .invalidValue),
        .init(
            #""function_call":"required","functions":[\#(weather)]"#, "function_call",
            .invalidValue),
    ]

    @Test(arguments: refused) func `a wrong tool is refused with its path`(
        _ row: RefusedMembers
    ) throws {
        try row.check()
    }

    // MARK: Forwarding

    private func sent(_ choice: ToolChoice?, to dialect: Dialect) throws -> [String: Any] {
        let function = try function()
        return try forwardedBody(dialect) {
            $0.tools = ToolUse(
                functions: [function, FunctionTool(name: "other")], choice: choice)
        }
    }

    private func names(_ body: [String: Any]) -> [String]? {
        (body["tools"] as? [[String: Any]])?.compactMap {
            ($0["function"] as? [String: Any])?["name"] as? String
        }
    }

    @Test func `an upstream is sent the tools and the choice as they are`() throws {
        let dialect = Dialect.openAI(bound: .maxCompletionTokens)
        let body = try sent(.function("other"), to: dialect)
        #expect(names(body) == ["get_weather", "other"])
        #expect((body["tool_choice"] as? [String: Any])?["type"] as? String == "function")
        #expect(body["parallel_tool_calls"] as? Bool == true)
        #expect(try sent(nil, to: dialect)["tool_choice"] == nil)
        #expect(try sent(ToolChoice.none, to: dialect)["tool_choice"] as? String == "none")
    }

    @Test func `the engine gets a named choice as the only tool, and none as no tools`() throws {
        let named = try sent(.function("other"), to: .llamaServer)
        #expect(names(named) == ["other"])
        #expect(named["tool_choice"] as? String == "required")
        let none = try sent(ToolChoice.none, to: .llamaServer)
        #expect(none["tools"] == nil && none["tool_choice"] == nil)
        #expect(names(try sent(.auto, to: .llamaServer)) == ["get_weather", "other"])
    }

    @Test func `the engine refuses by name what it cannot do with tools`() throws {
        var request = try readRequest(#"\#(Self.tools),"logprobs":true"#)
        #expect(Dialect.llamaServer.unsupportedParameter(in: request) == "logprobs")
        request.tools.choice = ToolChoice.none
        #expect(Dialect.llamaServer.unsupportedParameter(in: request) == nil)
        request.messages[0].toolCalls = [
            ToolCall(id: "a", name: "f", arguments: "{"),
            ToolCall(id: "b", name: "f", arguments: "{"),
        ]
        request.messages[0].toolCalls[1].hasObject = false
        #expect(
            Dialect.llamaServer.unsupportedParameter(in: request)
                == "messages[0].tool_calls[1].function.arguments")
    }

    @Test func `tools count in the bound of the prompt, however they are rendered`() throws {
        let request = try readRequest(Self.tools)
        let schema = #"{"type":"object","properties":{}}"#
        let bytes = "get_weatherTells\(schema)".utf8.count
        #expect(PromptBound.bytes(request) == Int64(4 + 2 + bytes))
        let bare = try PromptBound.tokens(readRequest(""), imageTokens: 0)
        // What Python's json.dumps(indent=4) makes of it, within a list, an object and another.
        let indented = 79
        #expect(
            PromptBound.tokens(request, imageTokens: 0) >= bare
                + Int64(bytes - schema.utf8.count + indented))
        #expect(PromptBound.tokens(request, imageTokens: 0) > bare + 1024)
    }

    @Test(arguments: [
        (#"{"a":[1,2]}"#, 60), (#""<&>'""#, 20), ("\"\u{1}\"", 5), ("é", 4), ("\u{1F600}", 8),
    ])
    func `the growth of a rendered text covers its worst escapes`(_ text: String, _ least: Int64) {
        #expect(RenderedJSON.growth(of: text.utf8) >= least)
    }
}
