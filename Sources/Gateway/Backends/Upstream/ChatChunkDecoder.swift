import Domain
import JSON

/// Reads an answer of the OpenAI family, whole or chunk by chunk, into events.
///
/// A class because the parser's memory is reused from chunk to chunk; one per answer, not shared.
final class ChatChunkDecoder: AnswerDecoder {
    /// The most choices of one answer, which is the most a client may ask for.
    static let maximumChoices = 128

    private let parser: JSONParser
    private let readsTimings: Bool
    private let alternatives: Int?
    private let secrets: [[UInt8]]
    private let tells: Told
    /// The choices that were seen, and whether each has said why it ended.
    private var choices: [Int: Bool] = [:]
    /// Whether the service tier was told.
    private var hasTier = false
    /// The tier until it is told on.
    private var tier: ServiceTier?
    /// Channels that were told before the text that goes there, by choice.
    private var channels: [Int: MessageChannel] = [:]

    /// What of an answer is read because the request asked for it.
    struct Told {
        var sound = false
        var moderation = false
    }

    /// Whether `[DONE]` was read.
    private(set) var isEnded = false

    /// - Parameters:
    ///   - maximumBytes: of one chunk or of a whole answer.
    ///   - readsTimings: whether `timings.predicted_n` is believed: llama-server's exact count of
    /// the tokens generated so far. An upstream that is not ours may write there what it likes.
    ///   - alternatives: how many alternatives are kept beside each token's probability; nil when
    /// probabilities are not read at all.
    ///   - secrets: what must not stand in a log, should the backend repeat it.
    ///   - tells: what else was asked for.
    init(
        maximumBytes: Int, readsTimings: Bool, alternatives: Int?, secrets: [[UInt8]],
        tells: Told = Told()
    ) {
        self.tells = tells
        parser = JSONParser(
            maximumBytes: maximumBytes, maximumDepth: 64, maximumNodes: 100_000,
            checkDuplicateKeys: false)
        self.readsTimings = readsTimings
        self.alternatives = alternatives
        self.secrets = secrets
    }

    /// Whether something was said and every choice said why it ended.
    var isFinished: Bool { !choices.isEmpty && choices.values.allSatisfy { $0 } }

    /// Whether any choice was seen.
    var hasChoices: Bool { !choices.isEmpty }

    /// Reads one chunk of a stream; nil if it says nothing that matters (a role, a keep-alive).
    /// Throws `malformed` for what is no chunk, and what an error inside of the stream means.
    func decodeChunk(_ data: ArraySlice<UInt8>) throws(BackendFailure) -> BackendEvent? {
        if Self.isEnd(data) {
            isEnded = true
            return nil
        }
        let root = try parse(data)
        var event = BackendEvent()
        if let choices = root["choices"], !choices.isNull {
            guard choices.kind == .array else { throw Self.malformed("`choices` is no array") }
            for choice in choices.elements {
                try append(choice, text: choice["delta"], position: nil, to: &event)
            }
        }
        readAccount(of: root, into: &event)
        if readsTimings, let count = root["timings"]?["predicted_n"]?.integer, count >= 0 {
            event.completionTokensSoFar = count
        }
        guard event != BackendEvent() else { return nil }
        event.serviceTier = tier.take()
        return event
    }

    /// Reads a whole answer into one event. Throws as `decodeChunk` does, and when there is no
    /// choice.
    func decodeAnswer(_ body: [UInt8]) throws(BackendFailure) -> BackendEvent {
        let root = try parse(body[...])
        guard let choices = root["choices"], choices.kind == .array, choices.count > 0 else {
            throw Self.malformed("the answer has no choices")
        }
        var event = BackendEvent()
        for (position, choice) in choices.elements.enumerated() {
            try append(choice, text: choice["message"], position: position, to: &event)
        }
        readAccount(of: root, into: &event)
        if readsTimings, let count = root["timings"]?["predicted_n"]?.integer, count >= 0 {
            event.completionTokensSoFar = count
        }
        event.serviceTier = tier.take()
        return event
    }

    // MARK: Parts

    private static func isEnd(_ data: ArraySlice<UInt8>) -> Bool {
        data.count < 16 && data.starts(with: "[DONE]".utf8)
            && data.dropFirst(6).allSatisfy { $0 == UInt8(ascii: " ") }
    }

    private func parse(_ bytes: ArraySlice<UInt8>) throws(BackendFailure) -> JSONValue {
        let root = try parser.object(bytes)
        if let failure = UpstreamErrorBody(root) {
            throw BackendFailure(
                kind: failure.kind(status: 200, retryAfter: nil),
                detail: "error inside of the answer: "
                    + LogExcerpt.make(of: bytes, redacting: secrets))
        }
        return root
    }

    /// Adds what a choice says. `position` is its place in a whole answer, where each choice is
    /// complete; nil in a stream.
    private func append(
        _ choice: JSONValue, text: JSONValue?, position: Int?, to event: inout BackendEvent
    ) throws(BackendFailure) {
        guard choice.kind == .object else { throw Self.malformed("a choice is no object") }
        let index: Int
        if let given = choice["index"], !given.isNull {
            guard let number = given.integer, (0..<Int64(Self.maximumChoices)).contains(number)
            else { throw Self.malformed("a choice has no usable index") }
            index = Int(number)
        } else {
            index = position ?? 0
        }
        // The word of vLLM and SGLang for an answer that they gave up themselves.
        if choice["finish_reason"]?.isString("abort") == true {
            throw BackendFailure(kind: .unreachable, detail: "the backend aborted its answer")
        }
        let reason = Self.finishReason(choice["finish_reason"]) ?? (position == nil ? nil : .stop)
        choices[index] = choices[index] == true || reason != nil
        var delta = ChoiceDelta(
            index: index,
            content: try Self.text(text?["content"]), refusal: try Self.text(text?["refusal"]),
            reasoning: try Self.text(text, "reasoning_content", or: "reasoning"),
            toolCalls: try ToolCallReader.calls(in: text, isWhole: position != nil),
            finishReason: reason)
        if let alternatives {
            let told = choice["logprobs"]
            delta.logprobs = LogprobReader.tokens(told, alternatives: alternatives)
            delta.refusalLogprobs = LogprobReader.tokens(
                told, of: "refusal", alternatives: alternatives)
        }
        delta.annotations = AnnotationReader.annotations(in: text)
        if tells.sound { delta.sound = try SoundReader.sound(in: text) }
        delta.channel = text?["channel"]?.string.flatMap(MessageChannel.init)
        guard position != nil || delta.saysSomething || reason != nil else {
            if let channel = delta.channel { channels[index] = channel }
            return
        }
        if delta.channel == nil, !channels.isEmpty {
            delta.channel = channels.removeValue(forKey: index)
        }
        event.deltas.append(delta)
    }

    /// The first of two members that says something.
    private static func text(
        _ value: JSONValue?, _ first: String, or second: String
    ) throws(BackendFailure) -> String? {
        if let text = try text(value?[first]) { return text }
        return try text(value?[second])
    }

    /// A text that says something; nil if it is absent, null or empty. Anything else would be lost
    /// to the count, so it is refused.
    private static func text(_ value: JSONValue?) throws(BackendFailure) -> String? {
        guard let value, !value.isNull else { return nil }
        guard value.kind == .string else { throw malformed("a text of the answer is no string") }
        return value.utf8Count == 0 ? nil : value.string
    }

    /// Reads what is told of the answer as a whole. Each chunk tells the tier: the first is kept, and
    /// goes out with the first event that says something else.
    private func readAccount(of root: JSONValue, into event: inout BackendEvent) {
        event.usage = Self.usage(root["usage"])
        if event.usage != nil { event.usageParts = Self.usageParts(root["usage"]) }
        if tells.moderation { event.moderation = ModerationReader.report(in: root) }
        guard !hasTier, let word = root["service_tier"]?.string,
            let tier = ServiceTier(rawValue: word)
        else { return }
        hasTier = true
        self.tier = tier
    }

    private static func usageParts(_ value: JSONValue?) -> UsageParts {
        let completion = value?["completion_tokens_details"]
        let prompt = value?["prompt_tokens_details"]
        return UsageParts(
            promptText: count(prompt?["text_tokens"]), promptImage: count(prompt?["image_tokens"]),
            completionText: count(completion?["text_tokens"]),
            promptAudio: count(prompt?["audio_tokens"]) ?? 0,
            completionAudio: count(completion?["audio_tokens"]) ?? 0,
            acceptedPrediction: count(completion?["accepted_prediction_tokens"]) ?? 0,
            rejectedPrediction: count(completion?["rejected_prediction_tokens"]) ?? 0)
    }

    private static func finishReason(_ value: JSONValue?) -> FinishReason? {
        guard let value, !value.isNull else { return nil }
        if value.isString("") { return nil }
        if value.isString("length") || value.isString("max_tokens") { return .length }
        if value.isString("tool_calls") || value.isString("function_call") { return .toolCalls }
        return value.isString("content_filter") ? .contentFilter : .stop
    }

    /// The backend's count, if both of its numbers are whole and not negative; otherwise there is
    /// none and the gateway counts. Zero is a number like any other.
    private static func usage(_ value: JSONValue?) -> TokenUsage? {
        guard let value, let prompt = count(value["prompt_tokens"]),
            let completion = count(value["completion_tokens"])
        else { return nil }
        let promptParts = value["prompt_tokens_details"]
        return TokenUsage(
            prompt: prompt,
            cached: count(promptParts?["cached_tokens"])
                ?? count(value["cache_read_input_tokens"]) ?? 0,
            cacheWrite: count(promptParts?["cache_write_tokens"])
                ?? count(value["cache_creation_input_tokens"]) ?? 0,
            completion: completion,
            reasoning: count(value["completion_tokens_details"]?["reasoning_tokens"]) ?? 0)
    }

    private static func count(_ value: JSONValue?) -> Int64? {
        guard let count = value?.exactInteger, count >= 0 else { return nil }
        return count
    }

    private static func malformed(_ detail: String) -> BackendFailure {
        BackendFailure(kind: .malformed, detail: detail)
    }
}
