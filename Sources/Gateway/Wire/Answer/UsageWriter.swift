import Domain
import JSON

/// Writes the `usage` object: OpenAI's counts, which are the truth, and beside them what other
/// systems' clients look for.
enum UsageWriter {
    /// Writes what was used and when.
    static func write(
        _ usage: TokenUsage, _ parts: UsageParts, _ timings: AnswerTimings,
        _ writer: inout JSONWriter
    ) {
        let parts = parts.within(prompt: usage.prompt, completion: usage.completion)
        writer.beginObject()
        count("prompt_tokens", usage.prompt, &writer)
        count("completion_tokens", usage.completion, &writer)
        count("total_tokens", usage.total, &writer)
        writer.key("prompt_tokens_details")
        writer.beginObject()
        count("cached_tokens", usage.cached, &writer)
        count("cache_write_tokens", usage.cacheWrite, &writer)
        count("audio_tokens", parts.promptAudio, &writer)
        writer.endObject()
        writer.key("completion_tokens_details")
        writer.beginObject()
        count("reasoning_tokens", usage.reasoning, &writer)
        count("audio_tokens", parts.completionAudio, &writer)
        count("accepted_prediction_tokens", parts.acceptedPrediction, &writer)
        count("rejected_prediction_tokens", parts.rejectedPrediction, &writer)
        writer.endObject()
        // Anthropic's names.
        count("cache_creation_input_tokens", usage.cacheWrite, &writer)
        count("cache_read_input_tokens", usage.cached, &writer)
        // SambaNova's.
        count("input_tokens_count", usage.prompt, &writer)
        count("output_tokens_count", usage.completion, &writer)
        count("total_tokens_count", usage.total, &writer)
        writer.key("time_to_first_token")
        writer.double((timings.firstToken ?? timings.total).inSeconds)
        writer.key("throughput_after_first_token")
        writer.double(timings.throughput(completion: usage.completion))
        writer.key("model_execution_time")
        writer.double(timings.execution.inSeconds)
        writer.key("queue_time")
        writer.double(timings.queue.inSeconds)
        writer.endObject()
    }

    private static func count(_ name: StaticString, _ value: Int64, _ writer: inout JSONWriter) {
        writer.key(name)
        writer.integer(value)
    }
}
