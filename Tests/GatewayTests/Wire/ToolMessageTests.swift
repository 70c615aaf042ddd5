import Foundation
import Testing

@testable import Gateway

@Suite struct ToolMessages {
    private static let history = #"""
        {"model":"m","messages":[{"role":"user","content":"hi"},
        {"role":"assistant","content":null,"reasoning_content":"hm","tool_calls":[
          {"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},
          {"id":"c2","type":"function","function":{"name":"g","arguments":"{"}}]},
        {"role":"tool","tool_call_id":"c1","content":"x"},
        {"role":"tool","tool_call_id":"c2","content":[{"type":"text","text":"y"}]}]}
        """#

    @Test func `calls and their answers are read`() throws {
        let messages = try readRequest(body: Self.history).messages
        #expect(messages[1].content == .none)
        #expect(messages[1].reasoning == "hm")
        #expect(
            messages[1].toolCalls == [
                ToolCall(id: "c1", name: "f", arguments: #"{"a":1}"#),
                ToolCall(id: "c2", name: "g", arguments: "{", hasObject: false),
            ])
        #expect(messages[2].toolCallID == "c1")
        #expect(messages[3].content == .parts([.text("y")]))
    }

    @Test func `a call of the older form and its answer become the newer one`() throws {
        let messages = try readRequest(
            body: #"""
                {"model":"m","messages":[
                {"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},
                {"role":"function","name":"f","content":"x"},
                {"role":"function","name":"g","content":"x"}]}
                """#
        ).messages
        #expect(messages[0].toolCalls == [ToolCall(id: "call_0", name: "f", arguments: "{}")])
        #expect(messages[1].role == .tool && messages[1].toolCallID == "call_0")
        #expect(messages[2].role == .function)
    }

    @Test func `an upstream and the engine get the history, the engine its reasoning too`() throws {
        let messages = try readRequest(body: Self.history).messages
        for dialect in [Dialect.llamaServer, .openAI(bound: .maxTokens)] {
            let body = try forwardedBody(dialect) { $0.messages = messages }
            let sent = try #require(body["messages"] as? [[String: Any]])
            #expect(sent[1]["content"] is NSNull)
            let calls = try #require(sent[1]["tool_calls"] as? [[String: Any]])
            #expect(calls.compactMap { $0["id"] as? String } == ["c1", "c2"])
            let function = try #require(calls[0]["function"] as? [String: String])
            #expect(function == ["name": "f", "arguments": #"{"a":1}"#])
            #expect(sent[2]["tool_call_id"] as? String == "c1")
            #expect(
                (sent[1]["reasoning_content"] as? String) == (dialect == .llamaServer ? "hm" : nil))
        }
    }

    static let refused: [RefusedMembers] = [
        .init(
            #"{"role":"tool","content":"x"}"#, "messages[0].tool_call_id",
            .missingRequiredParameter),
        .init(
            #"{"role":"user","content":"x","tool_call_id":"a"}"#, "messages[0].tool_call_id",
            .invalidValue),
        .init(
            #"{"role":"user","content":"x","tool_calls":[{"id":"a"}]}"#, "messages[0].tool_calls",
            .invalidValue),
        .init(
            #"{"role":"assistant","tool_calls":[{"id":"a"}]}"#,
            "messages[0].tool_calls[0].function",
            .missingRequiredParameter),
        .init(
            #"{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}"#,
            "messages[0].tool_calls[0].id", .missingRequiredParameter),
        .init(
            #"{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":{}}}]}"#,
            "messages[0].tool_calls[0].function.arguments", .invalidType),
        .init(
            #"{"role":"assistant","tool_calls":[{"id":"a","type":"custom"}]}"#,
            "messages[0].tool_calls[0].custom", .missingRequiredParameter),
        .init(
            #"{"role":"assistant","tool_calls":[{"id":"a","type":"custom","custom":{"name":"f"}}]}"#,
            "messages[0].tool_calls[0].custom.input", .missingRequiredParameter),
        .init(
            #"{"role":"assistant","function_call":{"name":"f"}}"#,
            "messages[0].function_call.arguments", .missingRequiredParameter),
        .init(
            #"{"role":"assistant","tool_calls":[]}"#, "messages[0].content",
            .missingRequiredParameter),
        .init(
            #"{"role":"user","content":"x","tool_calls":{}}"#, "messages[0].tool_calls",
            .invalidType),
        .init(
            #"{"role":"tool","content":"x","tool_call_id":[]}"#, "messages[0].tool_call_id",
            .invalidType),
        .init(
            #"{"role":"assistant","content":"x","reasoning_content":{}}"#,
            "messages[0].reasoning_content", .invalidType),
        .init(
            #"{"role":"assistant","content":"x","reasoning_content":"a","reasoning":7}"#,
            "messages[0].reasoning", .invalidType),
        .init(
            #"{"role":"user","content":"x","refusal":7}"#, "messages[0].refusal", .invalidType),
    ]

    @Test(arguments: refused) func `a wrong call is refused with its path`(
        _ row: RefusedMembers
    ) throws {
        let fault = try requestFault {
            try readRequest(body: #"{"model":"m","messages":[\#(row.members)]}"#)
        }
        #expect(fault.parameter == row.parameter)
        #expect(fault.code == row.code)
    }
}
