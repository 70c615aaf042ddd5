import Domain
import NIOCore
import Testing

@testable import Gateway

@Suite struct ToolAnswers {
    private let identity = CompletionIdentity(
        RequestID(rawValue: 1), createdAt: Timestamp(microseconds: 0), model: "m", backend: "b")

    /// Two calls in pieces; the second has no id, and repeats its name as some backends do.
    private let pieces: [ChoiceDelta] = [
        ChoiceDelta(
            index: 0, toolCalls: [ToolCallDelta(index: 0, id: "a", name: "f", arguments: "")]),
        ChoiceDelta(index: 0, toolCalls: [ToolCallDelta(index: 0, arguments: "{\"x\"")]),
        ChoiceDelta(index: 0, toolCalls: [ToolCallDelta(index: 0, arguments: ":1}")]),
        ChoiceDelta(index: 0, toolCalls: [ToolCallDelta(index: 1, name: "g", arguments: "{")]),
        ChoiceDelta(index: 0, toolCalls: [ToolCallDelta(index: 1, name: "g", arguments: "}")]),
        ChoiceDelta(index: 0, finishReason: .toolCalls),
    ]

    private var legacy: AnswerStyle {
        var style = AnswerStyle()
        style.usesFunctionCall = true
        return style
    }

    private func whole(_ style: AnswerStyle) -> String {
        var answer = CompletedAnswer()
        for piece in pieces { answer.append(piece) }
        return String(
            decoding: ChatCompletionWriter.write(answer, identity, in: style), as: UTF8.self)
    }

    private func stream(_ style: AnswerStyle) -> String {
        var writer = ServerSentEventWriter(identity, in: style)
        for piece in pieces { writer.append(piece) }
        return String(buffer: writer.take())
    }

    private let madeID = "call_00000000000000000000000000000001_0_1"

    @Test func `a plain answer holds whole calls, each with an id, and no text`() {
        let text = whole(AnswerStyle())
        #expect(
            text.contains(
                #""content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},{"id":"\#(madeID)","type":"function","function":{"name":"g","arguments":"{}"}}]"#
            ))
        #expect(text.contains(#""finish_reason":"tool_calls""#))
    }

    @Test func `a stream says id and name once and then pieces of arguments`() {
        let text = stream(AnswerStyle())
        #expect(
            text.contains(
                #""delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]}"#
            ))
        #expect(
            text.contains(
                #""delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}"#))
        #expect(
            text.contains(
                #""delta":{"tool_calls":[{"index":1,"id":"\#(madeID)","type":"function","function":{"name":"g","arguments":"{"}}]}"#
            ))
        #expect(text.components(of: #""name":"g""#) == 1)
        #expect(text.contains(#""delta":{},"finish_reason":"tool_calls""#))
    }

    @Test func `a client of the older form gets one call in that form`() {
        let plain = whole(legacy)
        #expect(plain.contains(#""function_call":{"name":"f","arguments":"{\"x\":1}"}"#))
        #expect(
            !plain.contains("tool_calls") && plain.contains(#""finish_reason":"function_call""#))
        let stream = stream(legacy)
        #expect(stream.contains(#""delta":{"function_call":{"name":"f","arguments":""}}"#))
        #expect(stream.contains(#""delta":{"function_call":{"arguments":":1}"}}"#))
        #expect(!stream.contains(#""g""#))
    }

    @Test func `a refusal is told as one and counted like text`() {
        let delta = ChoiceDelta(index: 0, refusal: "no")
        var answer = CompletedAnswer()
        answer.append(delta)
        answer.append(delta)
        let plain = String(
            decoding: ChatCompletionWriter.write(answer, identity, in: AnswerStyle()),
            as: UTF8.self)
        #expect(plain.contains(#""content":null,"refusal":"nono""#))
        var writer = ServerSentEventWriter(identity, in: AnswerStyle())
        writer.append(delta)
        #expect(String(buffer: writer.take()).contains(#""delta":{"refusal":"no"}"#))
        var count = CompletionCount(bound: 1)
        let isFirstWithin = count.take(BackendEvent(deltas: [delta]))
        let isSecondWithin = count.take(BackendEvent(deltas: [delta]))
        #expect(isFirstWithin && !isSecondWithin)
    }

    @Test func `pieces of calls are counted like text`() {
        var count = CompletionCount(bound: 3)
        let wasWithin = count.take(BackendEvent(deltas: [pieces[0], pieces[1], pieces[2]]))
        #expect(wasWithin)
        #expect(count.bytes == 8 && count.chunks == 3)
        let isWithin = count.take(BackendEvent(deltas: [pieces[3]]))
        #expect(!isWithin)
    }

    @Test(arguments: [
        #"{"tool_calls":5}"#, #"{"tool_calls":[5]}"#, #"{"tool_calls":[{"index":-1}]}"#,
        #"{"tool_calls":[{"index":128}]}"#, #"{"tool_calls":[{"index":0,"id":7}]}"#,
        #"{"tool_calls":[{"function":{"arguments":{}}}]}"#, #"{"function_call":"f"}"#,
    ])
    func `a call that cannot be read is a failure and not lost`(_ delta: String) {
        let decoder = ChatChunkDecoder(
            maximumBytes: 4096, readsTimings: false, alternatives: nil, secrets: [])
        let chunk = #"{"choices":[{"index":0,"delta":\#(delta)}]}"#
        #expect(throws: BackendFailure.self) {
            _ = try decoder.decodeChunk(Array(chunk.utf8)[...])
        }
    }
}
