import Domain
import JSON
import Testing

@testable import Gateway

/// The real engine's count of a prompt beforehand, held against what it says it has read.
@Suite(.serialized) struct EnginePromptCounts {
    private static let tools =
        #""tools":[{"type":"function","function":{"name":"get_weather","#
        + #""description":"Tells <it> & more.","parameters":{"type":"object","properties":"#
        + #"{"city":{"type":"string"}},"required":["city"]}}}]"#
    private static let history =
        #""messages":[{"role":"developer","content":"Be brief."},"#
        + #"{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b é"}]},"#
        + #"{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","#
        + #""function":{"name":"get_weather","arguments":"{\"city\":\"Paris\"}"}}]},"#
        + #"{"role":"tool","tool_call_id":"c","content":"Sunny."},"#
        + #"{"role":"user","content":"And now?"}]"#

    private static let requests = [
        #""messages":"Hello""#, #""messages":"""#,
        #""messages":"\#(String(repeating: "word ", count: 100))""#, history,
        #""messages":"hi",\#(tools)"#, #""messages":"hi",\#(tools),"tool_choice":"none""#,
        #""messages":"hi",\#(tools),"tool_choice":"required""#,
        #""messages":"hi",\#(tools),"parallel_tool_calls":false"#,
        "\(history),\(tools)",
        #""messages":"hi","response_format":{"type":"json_object"}"#,
        #""messages":"hi","response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{"type":"object","properties":{"b":{"type":"integer"}}}}}"#,
        #""messages":"hi","chat_template_kwargs":{"enable_thinking":false,"other":[1,2]}"#,
        #""messages":"hi","reasoning_effort":"high","seed":3,"stop":"END""#,
    ]

    @Test func `it is exact, whatever the template makes of tools, formats and arguments`()
        async throws
    {
        let folder = try TemporaryFolder()
        try await TestEngine.run(try TestEngine.configuration(in: folder)) { engine in
            try await engine.waitUntilHealthy(timeout: .seconds(20))
            for members in Self.requests {
                let request = try readRequest(body: #"{"model":"demo",\#(members)}"#)
                let call = BackendCall(
                    request: request, upstreamModel: "demo", completionBound: 4,
                    requestID: RequestID(rawValue: 9))
                let count = try await engine.promptTokens(of: call)
                let answer = try await WholeAnswer(engine.forward(call))
                let usage = try #require(answer.usage)
                #expect(count == usage.prompt, "\(members)")
                #expect(usage.prompt <= PromptBound.tokens(request, imageTokens: 0), "\(members)")
            }
        }
    }

    @Test func `it counts no images, and no text that its bytes bound better`() async throws {
        let folder = try TemporaryFolder()
        try await TestEngine.run(try TestEngine.configuration(in: folder)) { engine in
            try await engine.waitUntilHealthy(timeout: .seconds(20))
            let long = BackendCall.ask(String(repeating: "a", count: 32 * 1024 + 1))
            #expect(try await engine.promptTokens(of: long) == nil)
            let seen = BackendCall.ask("") {
                let image = ImagePart(url: "data:image/png;base64,AAAA", detail: nil)
                $0.messages = [ChatMessage(role: .user, content: .parts([.image(image)]))]
            }
            #expect(try await engine.promptTokens(of: seen) == nil)
            #expect(try await engine.promptTokens(of: .ask("a")) != nil)
        }
    }

}
