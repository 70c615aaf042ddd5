import JSON

/// Writes `logprobs` in OpenAI's shape.
enum LogprobWriter {
    /// Writes the object that holds the tokens of a text and of a refusal.
    static func write(
        _ tokens: [TokenLogprob], refusal: [TokenLogprob], _ writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.key("content")
        write(tokens, &writer)
        writer.key("refusal")
        if refusal.isEmpty { writer.null() } else { write(refusal, &writer) }
        writer.endObject()
    }

    private static func write(_ tokens: [TokenLogprob], _ writer: inout JSONWriter) {
        writer.beginArray()
        for token in tokens {
            writer.beginObject()
            write(token.drawn, &writer)
            writer.key("top_logprobs")
            writer.beginArray()
            for alternative in token.alternatives {
                writer.beginObject()
                write(alternative, &writer)
                writer.endObject()
            }
            writer.endArray()
            writer.endObject()
        }
        writer.endArray()
    }

    private static func write(_ candidate: TokenLogprob.Candidate, _ writer: inout JSONWriter) {
        writer.key("token")
        writer.string(candidate.token)
        writer.key("logprob")
        writer.double(candidate.logprob)
        writer.key("bytes")
        if let bytes = candidate.bytes {
            writer.beginArray()
            for byte in bytes { writer.integer(Int(byte)) }
            writer.endArray()
        } else {
            writer.null()
        }
    }
}
