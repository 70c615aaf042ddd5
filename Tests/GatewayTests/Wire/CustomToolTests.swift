import Domain
import Foundation
import NIOCore
import Testing

@testable import Gateway

@Suite struct CustomTools {
    private static let plain = #"{"type":"custom","custom":{"name":"say"}}"#
    private static let text =
        #"{"type":"custom","custom":{"name":"say","description":"Says it.","format":{"type":"text"}}}"#
    private static let grammar =
        #"{"type":"custom","custom":{"name":"say","format":{"type":"grammar","grammar":"#
        + #"{"definition":"start: \"a\"","syntax":"lark"}}}}"#
    private static let function = #"{"type":"function","function":{"name":"f"}}"#
    private static let say = ToolName(name: "say", isCustom: true)
    private static let f = ToolName(name: "f", isCustom: false)

    private static func allowed(_ mode: String, _ tools: String) -> String {
        #""tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"\#(mode)","tools":[\#(tools)]}}"#
    }

    private let all = Dialect.openAI(bound: .maxTokens, extras: [.customTools, .allowedTools])
    private let custom = Dialect.openAI(bound: .maxTokens, extras: [.customTools])
    private let neither = Dialect.openAI(bound: .maxTokens)

    private func body(_ dialect: Dialect, _ members: String) throws -> [String: Any] {
        let request = try readRequest(members)
        return try forwardedBody(dialect) {
            $0.tools = request.tools
            $0.messages = request.messages
        }
    }

    private func told(_ dialect: Dialect, _ members: String, _ name: String) throws -> NSObject? {
        try body(dialect, members)[name] as? NSObject
    }

    private static func json(_ text: String) throws -> NSObject {
        try #require(
            try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
                as? NSObject)
    }

    // MARK: Offered

    @Test func `a custom tool is read, with a text or a grammar, and sent as it was read`() throws {
        #expect(
            try readRequest(#""tools":[\#(Self.plain)]"#).tools.functions
                == [FunctionTool(name: "say", input: .text)])
        #expect(
            try readRequest(#""tools":[\#(Self.grammar)]"#).tools.functions[0].input
                == .grammar(definition: #"start: "a""#, syntax: .lark))
        for tool in [Self.plain, Self.grammar] {
            #expect(
                try told(custom, #""tools":[\#(tool)]"#, "tools") == Self.json("[\(tool)]"))
        }
        // The text that is every tool's without a format is not written.
        #expect(
            try told(custom, #""tools":[\#(Self.text)]"#, "tools")
                == Self.json(
                    #"[{"type":"custom","custom":{"name":"say","description":"Says it."}}]"#))
    }

    @Test func `a choice of a custom tool is sent as it is`() throws {
        let choice = #"{"type":"custom","custom":{"name":"say"}}"#
        let members = #""tools":[\#(Self.plain)],"tool_choice":\#(choice)"#
        #expect(try readRequest(members).tools.choice == .custom("say"))
        #expect(try told(custom, members, "tool_choice") == Self.json(choice))
    }

    @Test func `a grammar counts in the bound of the prompt`() throws {
        let bare = try PromptBound.tokens(readRequest(#""tools":[\#(Self.plain)]"#), imageTokens: 0)
        let full = try PromptBound.tokens(
            readRequest(#""tools":[\#(Self.grammar)]"#), imageTokens: 0)
        #expect(full >= bare + Int64(#"start: "a""#.utf8.count))
    }

    private static let refused: [RefusedMembers] = [
        .init(#""tools":[{"type":"custom"}]"#, "tools[0].custom", .missingRequiredParameter),
        .init(#""tools":[{"type":"custom","custom":5}]"#, "tools[0].custom", .invalidType),
        .init(
            #""tools":[{"type":"custom","custom":{}}]"#, "tools[0].custom.name",
            .missingRequiredParameter),
        .init(#""tools":[{"type":"retrieval"}]"#, "tools[0].type", .invalidValue),
        .init(
            #""tools":[{"type":"custom","custom":{"name":"a","format":{"type":"json"}}}]"#,
            "tools[0].custom.format.type", .invalidValue),
        .init(
            #""tools":[{"type":"custom","custom":{"name":"a","format":{"type":"grammar"}}}]"#,
            "tools[0].custom.format.grammar", .missingRequiredParameter),
        .init(
            #""tools":[{"type":"custom","custom":{"name":"a","format":{"type":"grammar","grammar":{"definition":"x","syntax":"gbnf"}}}}]"#,
            "tools[0].custom.format.grammar.syntax", .invalidValue),
        // A function of that name is not what was chosen.
        .init(
            #""tools":[\#(plain)],"tool_choice":{"type":"function","function":{"name":"say"}}"#,
            "tool_choice", .invalidValue),
        .init(
            #""tools":[\#(plain)],"tool_choice":{"type":"custom"}"#, "tool_choice.custom",
            .missingRequiredParameter),
        .init(
            #""tools":[\#(plain)],\#(allowed("none", plain))"#, "tool_choice.allowed_tools.mode",
            .invalidValue),
        .init(
            #""tools":[\#(plain)],\#(allowed("auto", ""))"#, "tool_choice.allowed_tools.tools",
            .emptyArray),
        .init(
            #""tools":[\#(plain)],\#(allowed("auto", function))"#, "tool_choice", .invalidValue),
        .init(
            #""tools":[\#(plain)],\#(allowed("auto", #"{"type":"x"}"#))"#,
            "tool_choice.allowed_tools.tools[0].type", .invalidValue),
    ]

    @Test(arguments: refused) func `a wrong custom tool is refused with its path`(
        _ row: RefusedMembers
    ) throws {
        try row.check()
    }

    // MARK: Backends

    @Test(
        arguments: [
            (#""tools":[\#(function),\#(plain)]"#, "tools[1].type", "tools[1].type"),
            (
                #""tools":[\#(plain),\#(function)],\#(allowed("auto", function))"#, nil, nil
            ),
            (#""tools":[\#(plain)],"tool_choice":"none""#, "tools[0].type", nil),
        ] as [(String, String?, String?)])
    func `what a backend would be told of and does not know is refused by name`(
        _ members: String, _ upstream: String?, _ engine: String?
    ) throws {
        let request = try readRequest(members)
        #expect(all.unsupportedParameter(in: request) == nil)
        #expect(custom.unsupportedParameter(in: request) == nil)
        #expect(neither.unsupportedParameter(in: request) == upstream)
        #expect(Dialect.llamaServer.unsupportedParameter(in: request) == engine)
    }

    @Test func `tools that are not allowed are not told to a backend without such a choice`()
        throws
    {
        let tools = #""tools":[\#(Self.function),\#(Self.plain)]"#
        for (mode, isRequired) in [("auto", false), ("required", true)] {
            let members = "\(tools),\(Self.allowed(mode, Self.function))"
            #expect(
                try readRequest(members).tools.choice
                    == .allowed(AllowedTools(isRequired: isRequired, tools: [Self.f])))
            for dialect in [custom, neither, .llamaServer] {
                #expect(try told(dialect, members, "tools") == Self.json("[\(Self.function)]"))
                #expect(try told(dialect, members, "tool_choice") == mode as NSString)
            }
            let body = try body(all, members)
            #expect((body["tools"] as? [Any])?.count == 2)
            #expect(
                try body["tool_choice"] as? NSObject
                    == Self.json(
                        #"{"type":"allowed_tools","allowed_tools":{"mode":"\#(mode)","tools":[\#(Self.function)]}}"#
                    ))
        }
    }

    @Test func `a call of a custom tool is read in the history, and refused where it is not known`()
        throws
    {
        let call = #"{"id":"c","type":"custom","custom":{"name":"say","input":"not JSON"}}"#
        let request = try readRequest(
            body: #"{"model":"m","messages":[{"role":"assistant","tool_calls":[\#(call)]},"#
                + #"{"role":"tool","tool_call_id":"c","content":"x"}]}"#)
        #expect(
            request.messages[0].toolCalls
                == [ToolCall(id: "c", name: "say", arguments: "not JSON", isCustom: true)])
        let path = "messages[0].tool_calls[0].type"
        #expect(neither.unsupportedParameter(in: request) == path)
        #expect(Dialect.llamaServer.unsupportedParameter(in: request) == path)
        #expect(custom.unsupportedParameter(in: request) == nil)
        let body = try forwardedBody(custom) { $0.messages = request.messages }
        let messages = try #require(body["messages"] as? [[String: Any]])
        let sent = try Self.json("[\(call)]")
        #expect(messages[0]["tool_calls"] as? NSObject == sent)
        var replaced = request
        replaced.checkedTexts = replaced.checkedTexts.map { "<\($0)>" }
        #expect(replaced.messages[0].toolCalls[0].arguments == "<not JSON>")
        #expect(replaced.messages[0].toolCalls[0].hasObject)
    }

    // MARK: Answers

    private let identity = CompletionIdentity(
        RequestID(rawValue: 1), createdAt: Timestamp(microseconds: 0), model: "m", backend: "b")

    @Test func `a call of a custom tool is told in its own form, plain and in pieces`() throws {
        let decoder = ChatChunkDecoder(
            maximumBytes: 4096, readsTimings: false, alternatives: nil, secrets: [])
        let chunks = [
            #"{"index":0,"id":"c","type":"custom","custom":{"name":"say","input":"a"}}"#,
            #"{"index":0,"custom":{"input":"b"}}"#,
        ]
        var writer = ServerSentEventWriter(identity, in: AnswerStyle())
        var answer = CompletedAnswer()
        for chunk in chunks {
            let text = #"{"choices":[{"index":0,"delta":{"tool_calls":[\#(chunk)]}}]}"#
            let event = try #require(try decoder.decodeChunk(Array(text.utf8)[...]))
            for delta in event.deltas {
                writer.append(delta)
                answer.append(delta)
            }
        }
        let stream = String(buffer: writer.take())
        for chunk in chunks { #expect(stream.contains(#""tool_calls":[\#(chunk)]"#), "\(stream)") }
        let whole = String(
            decoding: ChatCompletionWriter.write(answer, identity, in: AnswerStyle()),
            as: UTF8.self)
        #expect(
            whole.contains(
                #""tool_calls":[{"id":"c","type":"custom","custom":{"name":"say","input":"ab"}}]"#))
        var count = CompletionCount(bound: 9)
        _ = count.take(
            BackendEvent(deltas: [ChoiceDelta(index: 0, toolCalls: answer.choices[0].toolCalls)]))
        #expect(count.bytes == 5)
    }
}
