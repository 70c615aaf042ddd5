import Domain
import JSON
import NIOCore
import Testing

@testable import Gateway

@Suite struct Logprobs {
    /// llama-server's shape: with the token's id, a float's lowest for zero, and an alternative too
    /// many.
    private static let content = #"""
        {"content":[{"id":5,"token":"é","bytes":[195,169],"logprob":-0.5,"top_logprobs":[
        {"id":5,"token":"é","bytes":[195,169],"logprob":-0.5},
        {"id":6,"token":"x","bytes":null,"logprob":-3.4028234663852886e+38}]}]}
        """#

    private func delta(alternatives: Int?) throws -> ChoiceDelta? {
        let decoder = ChatChunkDecoder(
            maximumBytes: 1 << 16, readsTimings: false, alternatives: alternatives, secrets: [])
        let chunk =
            #"{"choices":[{"index":0,"delta":{"content":"é"},"logprobs":\#(Self.content)}]}"#
        return try decoder.decodeChunk(Array(chunk.utf8)[...])?.deltas.first
    }

    private let drawn = TokenLogprob.Candidate(token: "é", logprob: -0.5, bytes: [195, 169])
    private let other = TokenLogprob.Candidate(token: "x", logprob: -9999, bytes: nil)

    @Test func `as many alternatives are kept as were asked for`() throws {
        #expect(
            try delta(alternatives: 5)?.logprobs
                == [TokenLogprob(drawn: drawn, alternatives: [drawn, other])])
        #expect(
            try delta(alternatives: 1)?.logprobs
                == [TokenLogprob(drawn: drawn, alternatives: [drawn])])
        #expect(try delta(alternatives: 0)?.logprobs == [TokenLogprob(drawn: drawn)])
        #expect(try delta(alternatives: nil)?.logprobs == [])
    }

    @Test func `those of a refusal are read and told beside those of the text`() throws {
        let decoder = ChatChunkDecoder(
            maximumBytes: 1 << 16, readsTimings: false, alternatives: 0, secrets: [])
        let chunk = #"""
            {"choices":[{"index":0,"delta":{"refusal":"No"},"logprobs":{"content":null,
            "refusal":[{"token":"No","logprob":-0.25,"bytes":null,"top_logprobs":[]}]}}]}
            """#
        let delta = try #require(try decoder.decodeChunk(Array(chunk.utf8)[...])?.deltas.first)
        let told = #""logprobs":{"content":[],"refusal":[{"token":"No","logprob":-0.25,"#
        var writer = ServerSentEventWriter(identity, in: style)
        writer.append(delta)
        #expect(String(buffer: writer.take()).contains(told))
        var answer = CompletedAnswer()
        answer.append(delta)
        let text = String(
            decoding: ChatCompletionWriter.write(answer, identity, in: style), as: UTF8.self)
        #expect(text.contains(told))
    }

    @Test(arguments: [
        "null", "[]", "{}", #"{"content":null}"#, #"{"content":[5,{"token":"a"},{"logprob":1}]}"#,
    ])
    func `what has not the published shape is no probability`(_ text: String) throws {
        let parser = JSONParser(maximumBytes: 4096, maximumDepth: 16, maximumNodes: 99)
        #expect(LogprobReader.tokens(try parser.parse(text).root, alternatives: 1) == [])
    }

    private let shape =
        #""logprobs":{"content":[{"token":"é","logprob":-0.5,"bytes":[195,169],"top_logprobs":[{"token":"x","logprob":-9999.0,"bytes":null}]}],"refusal":null}"#

    private var style: AnswerStyle {
        var style = AnswerStyle()
        style.showsLogprobs = true
        return style
    }

    private var identity: CompletionIdentity {
        CompletionIdentity(
            RequestID(rawValue: 1), createdAt: Timestamp(microseconds: 0), model: "m", backend: "b")
    }

    private var piece: ChoiceDelta {
        ChoiceDelta(
            index: 0, content: "é",
            logprobs: [TokenLogprob(drawn: drawn, alternatives: [other])])
    }

    @Test func `a stream tells them with the text that they belong to`() {
        var writer = ServerSentEventWriter(identity, in: style)
        writer.append(piece)
        #expect(
            String(buffer: writer.take())
                .contains(#""delta":{"content":"é"},\#(shape),"finish_reason":null}"#))
        var silent = ServerSentEventWriter(identity, in: AnswerStyle())
        silent.append(piece)
        #expect(!String(buffer: silent.take()).contains("logprobs"))
    }

    @Test func `a plain answer tells those of all its pieces`() {
        var answer = CompletedAnswer()
        answer.append(piece)
        answer.append(piece)
        answer.append(ChoiceDelta(index: 0, finishReason: .stop))
        let text = String(
            decoding: ChatCompletionWriter.write(answer, identity, in: style), as: UTF8.self)
        #expect(text.components(of: #""bytes":[195,169]"#) == 2)
        #expect(text.contains(#""refusal":null},"finish_reason":"stop""#))
    }
}
