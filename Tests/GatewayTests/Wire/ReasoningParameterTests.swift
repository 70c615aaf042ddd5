import Foundation
import Testing

@testable import Gateway

@Suite struct ReasoningParameters {
    @Test(
        arguments: [
            (#""enable_thinking":false"#, false), (#""enable_thinking":true"#, true),
            (#""chat_template_kwargs":{"enable_thinking":false}"#, false),
            (#""reasoning_effort":"none""#, false),
            (#""enable_thinking":false,"reasoning_effort":"high""#, false),
            (#""enable_thinking":false,"chat_template_kwargs":{"enable_thinking":false}"#, false),
            (#""reasoning_effort":"high""#, nil),
        ] as [(String, Bool?)])
    func `every switch of thinking means the same to the engine`(
        _ members: String, _ isEnabled: Bool?
    ) throws {
        let reasoning = try readRequest(members).reasoning
        #expect(reasoning.isEnabled == isEnabled)
        let body = try forwardedBody(.llamaServer) { $0.reasoning = reasoning }
        let sent = body["chat_template_kwargs"] as? [String: Any]
        #expect(sent?["enable_thinking"] as? Bool == isEnabled)
        #expect(body["reasoning_effort"] == nil)
        // Off is off, whatever effort stands beside it.
        #expect(isEnabled != false || sent?["reasoning_effort"] == nil)
    }

    @Test(arguments: ReasoningOptions.Effort.allCases)
    func `every effort is read and sent`(_ effort: ReasoningOptions.Effort) throws {
        let request = try readRequest(#""reasoning_effort":"\#(effort.rawValue)""#)
        #expect(request.reasoning.effort == effort)
        let upstream = try forwardedBody(.openAI(bound: .maxTokens)) {
            $0.reasoning = request.reasoning
        }
        #expect(upstream["reasoning_effort"] as? String == effort.rawValue)
        #expect(Dialect.openAI(bound: .maxTokens).unsupportedParameter(in: request) == nil)
        let engine = try forwardedBody(.llamaServer) { $0.reasoning = request.reasoning }
        let sent = try #require(engine["chat_template_kwargs"] as? [String: Any])
        #expect(sent["reasoning_effort"] as? String == (effort == .none ? nil : effort.rawValue))
    }

    @Test func `template arguments reach the engine and count in the bound of the prompt`() throws {
        let request = try readRequest(#""chat_template_kwargs":{"style":{"a":[1]},"x":null}"#)
        let body = try forwardedBody(.llamaServer) { $0.reasoning = request.reasoning }
        let sent = try #require(body["chat_template_kwargs"] as? [String: Any])
        #expect(sent.keys.sorted() == ["style"])
        #expect((sent["style"] as? [String: [Int]]) == ["a": [1]])
        #expect(PromptBound.bytes(request) == 6 + 5 + 9)
        #expect(
            PromptBound.tokens(request, imageTokens: 0) > PromptBound.tokens(
                .plain(), imageTokens: 0) + 14)
    }

    @Test func `thoughts stay in the text only where the client wants them there`() throws {
        #expect(try readRequest(#""separate_reasoning":true"#) == .plain())
        let kept = try readRequest(#""separate_reasoning":false"#).reasoning
        let body = try forwardedBody(.llamaServer) { $0.reasoning = kept }
        #expect(body["reasoning_format"] as? String == "none")
        #expect(try forwardedBody(.llamaServer)["reasoning_format"] as? String == "deepseek")
    }

    @Test(arguments: [
        (#""enable_thinking":true"#, "enable_thinking"),
        (#""enable_thinking":false"#, "enable_thinking"),
        (#""separate_reasoning":false"#, "separate_reasoning"),
        (#""chat_template_kwargs":{"a":1}"#, "chat_template_kwargs"),
    ])
    func `an upstream that has no word for a switch refuses it by name`(
        _ members: String, _ name: String
    ) throws {
        let request = try readRequest(members)
        #expect(Dialect.openAI(bound: .maxTokens).unsupportedParameter(in: request) == name)
        #expect(Dialect.llamaServer.unsupportedParameter(in: request) == nil)
    }

    static let refused: [RefusedMembers] = [
        .init(#""reasoning_effort":"extreme""#, "reasoning_effort", .invalidValue),
        .init(#""reasoning_effort":1"#, "reasoning_effort", .invalidType),
        .init(#""enable_thinking":"true""#, "enable_thinking", .invalidType),
        .init(#""separate_reasoning":1"#, "separate_reasoning", .invalidType),
        .init(#""chat_template_kwargs":[]"#, "chat_template_kwargs", .invalidType),
        .init(
            #""chat_template_kwargs":{"enable_thinking":"yes"}"#,
            "chat_template_kwargs.enable_thinking", .invalidType),
        .init(
            #""enable_thinking":true,"chat_template_kwargs":{"enable_thinking":false}"#,
            "chat_template_kwargs.enable_thinking", .invalidValue),
        .init(
            #""enable_thinking":true,"chat_template_kwargs":{"reasoning_effort":"none"}"#,
            "chat_template_kwargs.reasoning_effort", .invalidValue),
        .init(
            #""reasoning_effort":"low","chat_template_kwargs":{"reasoning_effort":"high"}"#,
            "chat_template_kwargs.reasoning_effort", .invalidValue),
        .init(
            #""reasoning_effort":"none","enable_thinking":true"#, "reasoning_effort",
            .invalidValue),
    ]

    @Test(arguments: refused) func `a wrong switch, and two that contradict, are refused`(
        _ row: RefusedMembers
    ) throws {
        try row.check()
    }
}
