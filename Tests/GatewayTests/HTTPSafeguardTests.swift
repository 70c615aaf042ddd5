import Domain
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
            [{"role":"user","content":[{"type":"text","text":"a@b.example"},{"type":"text","text":"x"}]},
             {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function",
              "function":{"name":"f","arguments":"{\\"to\\":\\"c@d.example\\"}"}}]},
             {"role":"tool","tool_call_id":"c","content":"sent to e@f.example"}]
            """
        let request = try readRequest(
            body: #"{"model":"m","messages":\#(messages),"input":{"pii":"block"}}"#)
        #expect(
            request.promptTexts == [
                "a@b.example", "x", #"{"to":"c@d.example"}"#, "sent to e@f.example",
            ])
        var changed = request
        changed.promptTexts = ["1", "2", "3", "4"]
        #expect(changed.promptTexts == ["1", "2", "3", "4"])
        #expect(!changed.messages[1].toolCalls[0].hasObject)
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
    ])
    private func `what cannot be checked is refused, never skipped`(_ refused: RefusedMembers)
        throws
    {
        try refused.check()
    }

    @Test func `checks that are asked off are as good as absent`() throws {
        let request = try readRequest(
            #""input":{"block_prompt_injection":false,"pii":null,"entity_list":[]},"output":{"toxicity":false}"#
        )
        #expect(request.personalData == nil)
    }
}
