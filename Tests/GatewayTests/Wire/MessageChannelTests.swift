import Domain
import NIOCore
import Testing

@testable import Gateway

@Suite struct MessageChannels {
    private static func body(_ channel: String, role: String = "assistant") -> String {
        #"{"model":"m","messages":[{"role":"\#(role)","content":"x","channel":\#(channel)}]}"#
    }

    @Test func `an upstream that knows channels is told of them, and no other`() throws {
        let request = try readRequest(body: Self.body(#""analysis""#))
        let knows = Dialect.openAI(bound: .maxTokens, extras: [.channel])
        #expect(knows.unsupportedParameter(in: request) == nil)
        let sent = try forwardedBody(knows) { $0.messages = request.messages }
        let message = (sent["messages"] as? [[String: Any]])?.first
        #expect(message?["channel"] as? String == "analysis")
        for dialect in [Dialect.openAI(bound: .maxTokens), .llamaServer] {
            #expect(dialect.unsupportedParameter(in: request) == "messages[0].channel")
        }
    }

    @Test func `what was for the reader says no more than its role, so every backend takes it`()
        throws
    {
        let request = try readRequest(body: Self.body(#""final""#))
        for dialect in [Dialect.openAI(bound: .maxTokens), .llamaServer] {
            #expect(dialect.unsupportedParameter(in: request) == nil)
            let sent = try forwardedBody(dialect) { $0.messages = request.messages }
            #expect((sent["messages"] as? [[String: Any]])?.first?["channel"] == nil)
        }
    }

    @Test(arguments: [
        (body(#""loud""#), RequestFault.Code.invalidValue), (body("5"), .invalidType),
        (body(#""final""#, role: "user"), .invalidValue),
    ])
    func `another word, or another's channel, is refused`(
        body: String, code: RequestFault.Code
    ) throws {
        let fault = try #require(throws: RequestFault.self) { _ = try readRequest(body: body) }
        #expect(fault.parameter == "messages[0].channel")
        #expect(fault.code == code)
    }

    private func deltas(_ chunks: [String]) throws -> [ChoiceDelta] {
        let decoder = ChatChunkDecoder(
            maximumBytes: 4096, readsTimings: false, alternatives: nil, secrets: [])
        return try chunks.flatMap { delta in
            let chunk = #"{"choices":[{"index":0,"delta":\#(delta)}]}"#
            return try decoder.decodeChunk(Array(chunk.utf8)[...])?.deltas ?? []
        }
    }

    @Test func `a channel told before its text goes out with that, once`() throws {
        let deltas = try deltas([
            #"{"role":"assistant","channel":"analysis"}"#, #"{"reasoning":"a"}"#,
            #"{"reasoning":"b"}"#, #"{"content":"c","channel":"final"}"#,
            #"{"content":"d","channel":"<secret>"}"#,
        ])
        #expect(deltas.map(\.channel) == [.analysis, nil, .final, nil])
    }

    @Test func `a stream tells each piece's channel, a plain answer the last one`() throws {
        let identity = CompletionIdentity(
            RequestID(rawValue: 1), createdAt: Timestamp(microseconds: 0), model: "m", backend: "b")
        var writer = ServerSentEventWriter(identity, in: AnswerStyle())
        var answer = CompletedAnswer()
        for delta in try deltas([
            #"{"reasoning":"a","channel":"analysis"}"#, #"{"content":"c","channel":"final"}"#,
            #"{"content":"d"}"#,
        ]) {
            writer.append(delta)
            answer.append(delta)
        }
        let events = String(buffer: writer.take())
        #expect(events.contains(#""delta":{"reasoning_content":"a","channel":"analysis"}"#))
        #expect(events.contains(#""delta":{"content":"c","channel":"final"}"#))
        let text = ChatCompletionWriter.write(answer, identity, in: AnswerStyle())
        #expect(
            String(decoding: text, as: UTF8.self)
                .contains(#""content":"cd","reasoning_content":"a","channel":"final""#))
    }
}
