import Domain
import JSON
import Testing

@testable import Gateway

@Suite struct Safeguards {
    private static let text = "Write to ada@example.com about card 4111 1111 1111 1111."

    private static func body(_ input: String, text: String = text, stream: Bool = false) -> String {
        #"{"model":"tiny","messages":"\#(text)","max_tokens":8,"stream":\#(stream),"input":\#(input)}"#
    }

    private static func backend() -> ScriptedBackend { ScriptedBackend(.text(["x"], nil)) }

    @Test func `a request that asks to block personal data is refused, and costs nothing`()
        async throws
    {
        try await withGateway(backend: Self.backend()) { gateway in
            let answer = try await gateway.post(Self.body(#"{"pii":"block"}"#))
            #expect(answer.hasPrefix("HTTP/1.1 400"))
            #expect(answer.contains(#""code":"pii_detected""#))
            #expect(answer.contains("CREDIT_CARD 1, EMAIL_ADDRESS 1"))
            #expect(!answer.contains("ada@example.com") && !answer.contains("4111"))
            #expect(gateway.backend.calls.elements.isEmpty)
            #expect(gateway.ledger.admissions.elements.isEmpty)
            let clean = try await gateway.post(Self.body(#"{"pii":"block"}"#, text: "Hello."))
            #expect(clean.hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test(arguments: ["random", "fake", "category", "mask"])
    func `the backend sees replacements, and the bound is theirs`(_ method: String) async throws {
        try await withGateway(backend: Self.backend()) { gateway in
            let input = #"{"pii":"replace","pii_replace_method":"\#(method)"}"#
            let answer = try await gateway.post(Self.body(input))
            #expect(answer.hasPrefix("HTTP/1.1 200"))
            let call = try #require(gateway.backend.calls.elements.first)
            let seen = try #require(call.request.messages[0].content.texts.first)
            #expect(!seen.contains("ada@example.com") && !seen.contains("4111 1111 1111 1111"))
            #expect(seen.hasPrefix("Write to ") && seen.contains(" about card "))
            let bound = try #require(gateway.ledger.admissions.elements.first?.bound)
            #expect(bound.prompt == PromptBound.tokens(call.request, imageTokens: 0))
        }
    }

    @Test func `kinds in 'entity_list' are left as they are`() async throws {
        try await withGateway(backend: Self.backend()) { gateway in
            let input =
                #"{"pii":"replace","pii_replace_method":"category","entity_list":["EMAIL_ADDRESS"]}"#
            _ = try await gateway.post(Self.body(input, stream: true))
            let call = try #require(gateway.backend.calls.elements.first)
            #expect(
                call.request.messages[0].content.texts
                    == ["Write to ada@example.com about card <CREDIT_CARD>."])
        }
    }

    @Test func `every text of the prompt is looked at, and stays in its place`() throws {
        let messages = """
            [{"role":"user","name":"g@h.example","content":[{"type":"text","text":"a@b.example"},
              {"type":"text","text":"x"}]},
             {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function",
              "function":{"name":"f","arguments":"{\\"to\\":\\"c@d.example\\"}"}},
              {"id":"d","type":"function","function":{"name":"f","arguments":"to c@d.example"}}]},
             {"role":"tool","name":"f","tool_call_id":"c","content":"sent to e@f.example"}]
            """
        let request = try readRequest(
            body: #"{"model":"m","messages":\#(messages),"input":{"pii":"block"}}"#)
        #expect(
            request.checkedTexts == [
                "a@b.example", "x", "g@h.example", "to", "to: c@d.example", "to c@d.example",
                "sent to e@f.example",
            ])
        var changed = request
        changed.checkedTexts = ["1", "2", "3", "to", "to: 4", "5", "6"]
        #expect(changed.messages[0].content.texts == ["1", "2"] && changed.messages[0].name == "3")
        #expect(changed.messages[1].toolCalls.map(\.arguments) == [#"{"to":"4"}"#, "5"])
        #expect(changed.messages[2].content == .text("6") && changed.messages[2].name == "f")
    }

    /// Behind an escape, beside one, as a number, as a name: a replacement in the JSON's own text
    /// would miss the first and break the others.
    @Test(arguments: ["mask", "category", "random", "fake"])
    func `replacements leave a call's arguments the object that they were`(
        _ method: String
    ) async throws {
        let values = [
            #""a":"hello\nann@example.org""#, #""b":"\u0061nn@example.org""#,
            #""card":4111111111111111"#, #""ann@example.org":[true,null,1.50]"#,
        ]
        let arguments = "{\(values.joined(separator: ","))}"
        let quoted = arguments.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        try await withGateway(backend: Self.backend()) { gateway in
            let call =
                #"{"id":"c","type":"function","function":{"name":"f","arguments":"\#(quoted)"}}"#
            let turns =
                #"{"role":"assistant","content":null,"tool_calls":[\#(call)]},"#
                + #"{"role":"tool","tool_call_id":"c","content":"r"}"#
            let input = #"{"pii":"replace","pii_replace_method":"\#(method)"}"#
            let answer = try await gateway.post(
                #"{"model":"tiny","messages":[\#(turns)],"max_tokens":8,"input":\#(input)}"#)
            #expect(answer.hasPrefix("HTTP/1.1 200"), "\(answer)")
            let seen = try #require(gateway.backend.calls.elements.first).request.messages[0]
            let told = try #require(seen.toolCalls.first)
            let object = try JSONParser(
                maximumBytes: 4096, maximumDepth: 8, maximumNodes: 64
            ).parse(told.arguments).root
            #expect(object.kind == .object && object.count == 4, "\(told.arguments)")
            #expect(object["a"]?.string?.hasPrefix("hello\n") == true)
            #expect(!told.arguments.contains("ann@example.org"))
            #expect(!told.arguments.contains("4111111111111111"))
            #expect(told.arguments.hasSuffix("[true,null,1.5]}"))
        }
    }

    @Test(arguments: [
        RefusedMembers(#""input":1"#, "input", .invalidType),
        RefusedMembers(#""input":{"pii":"hide"}"#, "input.pii", .invalidValue),
        RefusedMembers(#""input":{"pii":true}"#, "input.pii", .invalidType),
        RefusedMembers(
            #""input":{"pii":"block","pii_replace_method":"mask"}"#, "input.pii_replace_method",
            .invalidValue),
        RefusedMembers(
            #""input":{"pii":"block","entity_list":"URL"}"#, "input.entity_list", .invalidType),
        RefusedMembers(
            #""input":{"pii":"block","entity_list":[1]}"#, "input.entity_list[0]", .invalidType),
        RefusedMembers(
            #""input":{"block_prompt_injection":"yes"}"#, "input.block_prompt_injection",
            .invalidType),
        RefusedMembers(#""output":{"toxicity":1}"#, "output.toxicity", .invalidType),
        RefusedMembers(
            #""output":{"factuality":true},"stream":true"#, "output", .invalidValue),
        RefusedMembers(#""output":[]"#, "output", .invalidType),
        RefusedMembers(#""input":{"toxicity":true}"#, "input.toxicity", .unsupportedParameter),
        RefusedMembers(#""output":{"pii":"block"}"#, "output.pii", .unsupportedParameter),
        RefusedMembers(
            #""input":{"pii":"block","a.b":1}"#, "input[1]", .unsupportedParameter),
    ])
    private func `what cannot be checked is refused, never skipped`(_ refused: RefusedMembers)
        throws
    {
        try refused.check()
    }

    @Test func `checks that are asked off are as good as absent`() throws {
        let request = try readRequest(
            #""input":{"block_prompt_injection":false,"pii":null,"entity_list":[],"x":false},"output":{"toxicity":false,"y":null}"#
        )
        #expect(request.personalData == nil)
    }
}
