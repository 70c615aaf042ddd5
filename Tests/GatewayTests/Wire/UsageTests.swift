import Domain
import JSON
import TestSupport
import Testing

@testable import Gateway

@Suite struct UsageShape {
    private func written(
        _ usage: TokenUsage, _ timings: AnswerTimings, _ parts: UsageParts = .none
    ) throws -> JSONValue {
        var writer = JSONWriter()
        UsageWriter.write(
            usage, parts, timings, since: Timestamp(microseconds: 1_800_000_000_250_000),
            endedBy: "length", &writer)
        return try JSONParser(maximumBytes: 4096, maximumDepth: 8, maximumNodes: 99)
            .parse(writer.finish()).root
    }

    @Test func `every system finds its own names, and they agree`() throws {
        let usage = TokenUsage(prompt: 9, cached: 4, cacheWrite: 3, completion: 5, reasoning: 2)
        let timings = AnswerTimings(
            queue: .milliseconds(250), firstToken: .milliseconds(500), total: .milliseconds(2500))
        let json = try written(usage, timings)
        for (name, value) in [
            ("prompt_tokens", 9), ("completion_tokens", 5), ("total_tokens", 14),
            ("cache_creation_input_tokens", 3), ("cache_read_input_tokens", 4),
            ("input_tokens_count", 9), ("output_tokens_count", 5), ("total_tokens_count", 14),
        ] as [(String, Int64)] {
            #expect(json[name]?.integer == value)
        }
        #expect(json["prompt_tokens_details"]?["cached_tokens"]?.integer == 4)
        #expect(json["prompt_tokens_details"]?["cache_write_tokens"]?.integer == 3)
        let parts = json["completion_tokens_details"]
        #expect(parts?["reasoning_tokens"]?.integer == 2)
        #expect(parts?["accepted_prediction_tokens"]?.integer == 0)
        #expect(parts?["rejected_prediction_tokens"]?.integer == 0)
        #expect(json["time_to_first_token"]?.double == 0.5)
        #expect(json["throughput_after_first_token"]?.double == 2)
        #expect(json["model_execution_time"]?.double == 2.25)
        #expect(json["queue_time"]?.double == 0.25)
        #expect(json["total_latency"]?.double == 2.5)
        #expect(json["completion_tokens_after_first_per_sec"]?.double == 2)
        #expect(json["completion_tokens_per_sec"]?.double == 2)
        #expect(json["total_tokens_per_sec"]?.double == 5.6)
        #expect(json["start_time"]?.double == 1_800_000_000.25)
        #expect(json["end_time"]?.double == 1_800_000_002.75)
        #expect(json["is_last_response"]?.bool == true)
        #expect(json["stop_reason"]?.string == "length")
    }

    @Test func `tokens of texts and images are told where the backend told them, and no others`()
        throws
    {
        let usage = TokenUsage(prompt: 9, completion: 5)
        let timings = AnswerTimings(queue: .zero, firstToken: nil, total: .zero)
        let silent = try written(usage, timings)
        for (details, name) in [
            ("prompt_tokens_details", "text_tokens"), ("prompt_tokens_details", "image_tokens"),
            ("completion_tokens_details", "text_tokens"),
        ] { #expect(silent[details]?[name] == nil) }
        let parts = UsageParts(promptText: 3, promptImage: 99, completionText: 0)
        let told = try written(usage, timings, parts)
        #expect(told["prompt_tokens_details"]?["text_tokens"]?.integer == 3)
        #expect(told["prompt_tokens_details"]?["image_tokens"]?.integer == 9)
        #expect(told["completion_tokens_details"]?["text_tokens"]?.integer == 0)
        #expect(told["total_tokens_per_sec"]?.double == 0)
    }

    @Test(
        arguments: [
            (1, Duration.seconds(1), Duration.seconds(2)), (5, .seconds(2), .seconds(2)),
            (0, .zero, .zero),
        ] as [(Int64, Duration, Duration)])
    func `without a second token or time there is no throughput`(
        _ completion: Int64, _ first: Duration, _ total: Duration
    ) {
        let timings = AnswerTimings(queue: .zero, firstToken: first, total: total)
        #expect(timings.throughput(completion: completion) == 0)
    }

    @Test func `an answer that came in one piece tells the rate of all of it`() {
        let settlement = Settlement(
            usage: TokenUsage(prompt: 9, completion: 50), basis: .reported, endState: .finished,
            timeToFirstToken: .microseconds(2_499_900), duration: .milliseconds(2500))
        let whole = AnswerTimings(settlement, queue: .milliseconds(500), cameAtOnce: true)
        #expect(whole.throughput(completion: 50) == 25)
        #expect(whole.throughput(completion: 1) == 0)
        let pieces = AnswerTimings(settlement, queue: .zero, cameAtOnce: false)
        #expect(pieces.firstToken == settlement.timeToFirstToken)
    }

    @Test func `reasoning is counted where the backend does not tell it`() {
        var count = CompletionCount(bound: 100)
        func reasoning(_ text: String, soFar: Int64?) -> BackendEvent {
            BackendEvent(
                deltas: [ChoiceDelta(index: 0, reasoning: text)], completionTokensSoFar: soFar)
        }
        _ = count.take(reasoning("a", soFar: 3))
        _ = count.take(reasoning("b", soFar: 5))
        _ = count.take(.text("c", soFar: 9))
        _ = count.take(.end(usage: TokenUsage(prompt: 4, completion: 9)))
        func record(_ count: CompletionCount) -> TokenUsage {
            SettlementDecision(
                outcome: .finished, clientHadBytes: true, count: count,
                bound: TokenBound(prompt: 10, completion: 100), promptBytes: 16
            ).record.usage
        }
        #expect(record(count) == TokenUsage(prompt: 4, completion: 9, reasoning: 5))
        _ = count.take(.end(usage: TokenUsage(prompt: 4, completion: 9, reasoning: 1)))
        #expect(record(count).reasoning == 1)
        var unreported = CompletionCount(bound: 100)
        _ = unreported.take(reasoning("a", soFar: nil))
        _ = unreported.take(.text("abcdefgh"))
        #expect(record(unreported) == TokenUsage(prompt: 4, completion: 3, reasoning: 1))
    }

    @Test func `the fingerprint is the same for the same backend and says nothing of it`() {
        func fingerprint(_ model: String, _ backend: String) -> String {
            CompletionIdentity(
                RequestID(rawValue: 1), createdAt: Timestamp(microseconds: 0), model: model,
                backend: backend
            ).fingerprint
        }
        #expect(fingerprint("m", "b") == fingerprint("m", "b"))
        #expect(
            Set([fingerprint("m", "b"), fingerprint("m", "c"), fingerprint("n", "b")]).count == 3)
        #expect(fingerprint("m", "b").utf8.count == 19)
    }
}
