import Domain
import JSON
import NIOCore

/// Writes the events of one stream: the same id, time and model in each, and on one line whatever
/// the text holds.
///
/// What does not change is made once; a piece costs its escaping and three copies.
struct ServerSentEventWriter: ~Copyable {
    private let style: AnswerStyle
    /// `data: {…,"choices":[` up to where a choice begins.
    private let prefix: [UInt8]
    private var buffer = ByteBuffer()
    private var text = JSONWriter(capacity: 256)
    private var begun: Set<Int> = []
    /// Where the chunk that is being written began to differ from others.
    private var start = 0
    /// Why the first choice ended.
    private var reason = FinishReason.stop
    private let identity: CompletionIdentity
    /// The calls that have said their name, by choice.
    private var named: [Int: Set<Int>] = [:]

    /// Makes the writer of a stream; in a style that shows usage the end tells it, and every other
    /// chunk that there is none.
    init(_ identity: CompletionIdentity, in style: AnswerStyle) {
        self.style = style
        self.identity = identity
        var writer = JSONWriter(capacity: 192)
        writer.beginObject()
        identity.write(object: "chat.completion.chunk", &writer)
        writer.key("choices")
        writer.beginArray()
        writer.endArray()
        writer.endObject()
        prefix = Array("data: ".utf8) + writer.finish().dropLast(2)
    }

    /// One event of a JSON text.
    static func event(_ json: [UInt8]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(json.count + 8)
        buffer.writeStaticString("data: ")
        buffer.writeBytes(json)
        buffer.writeStaticString("\n\n")
        return buffer
    }

    /// Writes the first chunk of a choice, which says who speaks, once.
    mutating func begin(choice index: Int) {
        guard begun.insert(index).inserted else { return }
        open(index)
        buffer.writeStaticString("\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}")
        close()
    }

    /// Writes a piece of text, or the end of a choice.
    mutating func append(_ delta: ChoiceDelta) {
        var delta = delta
        if style.usesFunctionCall {
            // The older form has room for one call.
            delta.toolCalls.removeAll { $0.index > 0 }
            guard delta.saysSomething || delta.finishReason != nil else { return }
        }
        begin(choice: delta.index)
        open(delta.index)
        writeMembers(of: delta, after: writeTexts(of: delta))
        buffer.writeStaticString("},")
        if style.showsLogprobs { write(delta.logprobs, refusal: delta.refusalLogprobs) }
        buffer.writeStaticString("\"finish_reason\":")
        if let reason = delta.finishReason {
            if delta.index == 0 { self.reason = reason }
            write(style.word(for: reason))
        } else {
            buffer.writeStaticString("null")
        }
        buffer.writeStaticString("}")
        close()
    }

    /// Writes what is said as text; gives whether there was any.
    private mutating func writeTexts(of delta: ChoiceDelta) -> Bool {
        if let reasoning = delta.reasoning {
            buffer.writeStaticString("\"reasoning_content\":")
            write(reasoning)
            if style.mirrorsReasoning {
                buffer.writeStaticString(",\"reasoning\":")
                buffer.writeBytes(text.bytes)
            }
            if delta.content != nil { buffer.writeStaticString(",") }
        }
        if let content = delta.content {
            buffer.writeStaticString("\"content\":")
            write(content)
        }
        if let refusal = delta.refusal {
            if delta.reasoning != nil || delta.content != nil { buffer.writeStaticString(",") }
            buffer.writeStaticString("\"refusal\":")
            write(refusal)
        }
        return delta.reasoning != nil || delta.content != nil || delta.refusal != nil
    }

    /// Writes what else a piece has, after texts or as the first of it.
    private mutating func writeMembers(of delta: ChoiceDelta, after texts: Bool) {
        var follows = texts
        if !delta.toolCalls.isEmpty {
            if follows { buffer.writeStaticString(",") }
            follows = true
            write(delta.toolCalls, of: delta.index)
        }
        if !delta.annotations.isEmpty {
            if follows { buffer.writeStaticString(",") }
            follows = true
            buffer.writeStaticString("\"annotations\":")
            text.removeAll(keepingCapacity: true)
            AnnotationWriter.write(delta.annotations, &text)
            buffer.writeBytes(text.bytes)
        }
        if let channel = delta.channel {
            if follows { buffer.writeStaticString(",") }
            follows = true
            buffer.writeStaticString("\"channel\":")
            write(channel.rawValue)
        }
        if let sound = delta.sound {
            if follows { buffer.writeStaticString(",") }
            buffer.writeStaticString("\"audio\":")
            text.removeAll(keepingCapacity: true)
            SoundWriter.write(sound, &text)
            buffer.writeBytes(text.bytes)
        }
    }

    /// Writes what the backend's moderation found, in a chunk of its own.
    mutating func append(_ moderation: ModerationReport) {
        buffer.writeBytes(prefix)
        buffer.writeStaticString("],\"moderation\":")
        text.removeAll(keepingCapacity: true)
        ModerationWriter.write(moderation, &text)
        buffer.writeBytes(text.bytes)
        buffer.writeStaticString(style.showsUsage ? ",\"usage\":null}\n\n" : "}\n\n")
    }

    /// Writes what comes after every choice has ended: the usage where it is shown, and `[DONE]`.
    mutating func finish(usage: TokenUsage, _ parts: UsageParts, _ timings: AnswerTimings) {
        if style.showsUsage {
            buffer.writeBytes(prefix)
            buffer.writeStaticString("],\"usage\":")
            var writer = JSONWriter(capacity: 1024)
            UsageWriter.write(
                usage, parts, timings, since: identity.createdAt, endedBy: style.word(for: reason),
                &writer)
            buffer.writeBytes(writer.bytes)
            buffer.writeStaticString("}\n\n")
        }
        buffer.writeStaticString("data: [DONE]\n\n")
    }

    /// Hands out what was written since the last time.
    mutating func take() -> ByteBuffer {
        // The socket may still hold what was handed out before, so its memory is not reused.
        defer { buffer = ByteBuffer() }
        return buffer
    }

    /// The same as text, for the reference.
    mutating func takeText() -> String { String(buffer: take()) }

    private mutating func open(_ index: Int) {
        if buffer.readableBytes == 0 { buffer.reserveCapacity(prefix.count + 256) }
        buffer.writeBytes(prefix)
        start = buffer.readableBytes
        buffer.writeStaticString("{\"index\":")
        buffer.writeString(index == 0 ? "0" : String(index))
        buffer.writeStaticString(",\"delta\":{")
    }

    private mutating func close() {
        let length = buffer.readableBytes - start
        buffer.writeStaticString(style.showsUsage ? "],\"usage\":null" : "]")
        if style.hidesLengths { ChunkPadding.write(beside: length, &buffer) }
        buffer.writeStaticString("}\n\n")
    }

    private mutating func write(_ calls: [ToolCallDelta], of choice: Int) {
        text.removeAll(keepingCapacity: true)
        if style.usesFunctionCall {
            buffer.writeStaticString("\"function_call\":")
            ToolCallWriter.writeFunction(
                calls[0], isFirst: named[choice, default: []].insert(calls[0].index).inserted, &text
            )
        } else {
            buffer.writeStaticString("\"tool_calls\":")
            text.beginArray()
            for call in calls {
                ToolCallWriter.writePiece(
                    call, isFirst: named[choice, default: []].insert(call.index).inserted,
                    makeID: { [identity] in identity.callID(choice: choice, call: $0) }, &text)
            }
            text.endArray()
        }
        buffer.writeBytes(text.bytes)
    }

    private mutating func write(_ logprobs: [TokenLogprob], refusal: [TokenLogprob]) {
        buffer.writeStaticString("\"logprobs\":")
        if logprobs.isEmpty && refusal.isEmpty {
            buffer.writeStaticString("null,")
        } else {
            text.removeAll(keepingCapacity: true)
            LogprobWriter.write(logprobs, refusal: refusal, &text)
            buffer.writeBytes(text.bytes)
            buffer.writeStaticString(",")
        }
    }

    private mutating func write(_ string: String) {
        text.removeAll(keepingCapacity: true)
        text.string(string)
        buffer.writeBytes(text.bytes)
    }
}
