import JSON

/// Writes a whole answer: rebuilt from its types, so that nothing of a backend's own shape passes.
enum ChatCompletionWriter {
    /// The body of an answer.
    static func write(
        _ answer: CompletedAnswer, _ identity: CompletionIdentity, in style: AnswerStyle
    ) -> [UInt8] {
        let size = answer.choices.reduce(0) { $0 + $1.content.utf8.count }
        var writer = JSONWriter(capacity: 512 + size + size / 8)
        writer.beginObject()
        identity.write(object: "chat.completion", &writer)
        writer.key("choices")
        writer.beginArray()
        for choice in answer.choices { write(choice, identity, style, &writer) }
        writer.endArray()
        writer.key("usage")
        let reason = answer.choices.first?.finishReason ?? .stop
        UsageWriter.write(
            answer.usage, answer.parts, answer.timings, since: identity.createdAt,
            endedBy: style.word(for: reason), &writer)
        if let moderation = answer.moderation {
            writer.key("moderation")
            ModerationWriter.write(moderation, &writer)
        }
        if !style.metadata.isEmpty {
            writer.key("metadata")
            writer.beginObject()
            for entry in style.metadata {
                writer.key(entry.key)
                writer.string(entry.value)
            }
            writer.endObject()
        }
        writer.endObject()
        return writer.finish()
    }

    private static func write(
        _ choice: CompletedAnswer.Choice, _ identity: CompletionIdentity, _ style: AnswerStyle,
        _ writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.key("index")
        writer.integer(choice.index)
        writer.key("message")
        writer.beginObject()
        writer.key("role")
        writer.string("assistant")
        writer.key("content")
        if choice.content.isEmpty
            && (!choice.toolCalls.isEmpty || choice.refusal != nil || choice.sound != nil)
        {
            writer.null()
        } else {
            writer.string(choice.content)
        }
        if let reasoning = choice.reasoning {
            writer.key("reasoning_content")
            writer.string(reasoning)
            if style.mirrorsReasoning {
                writer.key("reasoning")
                writer.string(reasoning)
            }
        }
        if let channel = choice.channel {
            writer.key("channel")
            writer.string(channel.rawValue)
        }
        if !choice.toolCalls.isEmpty {
            ToolCallWriter.writeMessage(
                choice.toolCalls, isLegacy: style.usesFunctionCall,
                makeID: { identity.callID(choice: choice.index, call: $0) }, &writer)
        }
        writer.key("refusal")
        if let refusal = choice.refusal { writer.string(refusal) } else { writer.null() }
        if !choice.annotations.isEmpty {
            writer.key("annotations")
            AnnotationWriter.write(choice.annotations, &writer)
        }
        if let sound = choice.sound {
            writer.key("audio")
            SoundWriter.write(whole: sound, &writer)
        }
        writer.endObject()
        writer.key("logprobs")
        if style.showsLogprobs {
            LogprobWriter.write(choice.logprobs, refusal: choice.refusalLogprobs, &writer)
        } else {
            writer.null()
        }
        writer.key("finish_reason")
        writer.string(style.word(for: choice.finishReason ?? .stop))
        writer.endObject()
    }
}
