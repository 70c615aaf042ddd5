import Domain
import JSON

/// Writes the `usage` object: OpenAI's counts, which are the truth, and beside them what other
/// systems' clients look for.
enum UsageWriter {
    /// Writes what was used and when, of an answer to a request that came at `arrival` and whose
    /// first choice ended for `reason`.
    static func write(
        _ usage: TokenUsage, _ parts: UsageParts, _ timings: AnswerTimings,
        since arrival: Timestamp, endedBy reason: String, _ writer: inout JSONWriter
    ) {
        let parts = parts.within(prompt: usage.prompt, completion: usage.completion)
        writer.beginObject()
        count("prompt_tokens", usage.prompt, &writer)
        count("completion_tokens", usage.completion, &writer)
        count("total_tokens", usage.total, &writer)
        writeDetails(usage, parts, &writer)
        // Anthropic's names.
        count("cache_creation_input_tokens", usage.cacheWrite, &writer)
        count("cache_read_input_tokens", usage.cached, &writer)
        // SambaNova's: those of its page, and those that its service sends.
        count("input_tokens_count", usage.prompt, &writer)
        count("output_tokens_count", usage.completion, &writer)
        count("total_tokens_count", usage.total, &writer)
        let throughput = timings.throughput(completion: usage.completion)
        number("time_to_first_token", (timings.firstToken ?? timings.total).inSeconds, &writer)
        number("throughput_after_first_token", throughput, &writer)
        number("model_execution_time", timings.execution.inSeconds, &writer)
        number("queue_time", timings.queue.inSeconds, &writer)
        number("total_latency", timings.total.inSeconds, &writer)
        number("completion_tokens_after_first_per_sec", throughput, &writer)
        number("completion_tokens_per_sec", timings.rate(of: usage.completion), &writer)
        number("total_tokens_per_sec", timings.rate(of: usage.total), &writer)
        let start = Double(arrival.microseconds)
        number("start_time", start / 1_000_000, &writer)
        number("end_time", (start + Double(timings.total.microseconds)) / 1_000_000, &writer)
        writer.key("is_last_response")
        writer.bool(true)
        writer.key("stop_reason")
        writer.string(reason)
        writer.endObject()
    }

    private static func writeDetails(
        _ usage: TokenUsage, _ parts: UsageParts, _ writer: inout JSONWriter
    ) {
        writer.key("prompt_tokens_details")
        writer.beginObject()
        count("cached_tokens", usage.cached, &writer)
        count("cache_write_tokens", usage.cacheWrite, &writer)
        count("audio_tokens", parts.promptAudio, &writer)
        if let text = parts.promptText { count("text_tokens", text, &writer) }
        if let image = parts.promptImage { count("image_tokens", image, &writer) }
        writer.endObject()
        writer.key("completion_tokens_details")
        writer.beginObject()
        count("reasoning_tokens", usage.reasoning, &writer)
        count("audio_tokens", parts.completionAudio, &writer)
        if let text = parts.completionText { count("text_tokens", text, &writer) }
        count("accepted_prediction_tokens", parts.acceptedPrediction, &writer)
        count("rejected_prediction_tokens", parts.rejectedPrediction, &writer)
        writer.endObject()
    }

    private static func number(_ name: StaticString, _ value: Double, _ writer: inout JSONWriter) {
        writer.key(name)
        writer.double(value)
    }

    private static func count(_ name: StaticString, _ value: Int64, _ writer: inout JSONWriter) {
        writer.key(name)
        writer.integer(value)
    }
}
