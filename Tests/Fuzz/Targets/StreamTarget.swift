import Domain

@testable import Gateway

/// The parser of event streams and the decoders of chunks and answers behind it, of OpenAI's format
/// and of Anthropic's: what a backend sends.
enum StreamTarget: FuzzTarget {
    /// More than a line or an event may hold.
    private static let longest = 5 << 18
    /// The time goes into comparing every byte under the fuzzer's eyes, so most inputs are short.
    private static let usualLength = 2 << 10
    /// The most that arrives at once (libcurl's buffer).
    private static let largestPiece = 16 << 10
    private static let secret = "sk-secret-0123456789"
    private static let alternatives = 5

    static func run(_ input: [UInt8]) {
        let bytes = Repetition.expanded(input, most: longest, usual: usualLength)
        if bytes.first == UInt8(ascii: "{") {
            for decoder in decoders() { checkAnswer(bytes, by: decoder) }
            return
        }
        let model = EventStreamModel(of: bytes, most: EventStreamParser.maximumEventBytes)
        // Once as it comes from the socket, and once in pieces of a size that the bytes choose.
        var random = Splits(bytes)
        let sizes = [1, 7, 64, 1000]
        let pieces = max(sizes[random.next(upTo: sizes.count) - 1], bytes.count / 1024)
        for most in [largestPiece, pieces] {
            var read = EventStreamModel(room: bytes.count)
            Property.bounded(bytes.count, memory: 8) {
                parse(bytes, into: &read) {
                    most == largestPiece ? most : random.next(upTo: most)
                }
            }
            Property.require(
                read == model, "a stream in pieces of \(most) does not read as by the standard")
        }
        for decoder in decoders() { decode(model.events, by: decoder) }
    }

    private static func parse(
        _ bytes: [UInt8], into read: inout EventStreamModel, size: () -> Int
    ) {
        var parser = EventStreamParser()
        var position = 0
        do throws(BackendFailure) {
            while position < bytes.count {
                let end = min(bytes.count, position + min(size(), largestPiece))
                try parser.consume(Array(bytes[position..<end])) { read.append($0) }
                position = end
            }
        } catch {
            Property.require(error.kind == .malformed, "a stream fails as something else")
            read.isTooLarge = true
        }
    }

    // MARK: Chunks

    private static func decoders() -> [any AnswerDecoder] {
        let secrets = [Array(secret.utf8)]
        return [
            ChatChunkDecoder(
                maximumBytes: EventStreamParser.maximumEventBytes, readsTimings: true,
                alternatives: alternatives, secrets: secrets),
            MessagesDecoder(maximumBytes: EventStreamParser.maximumEventBytes, secrets: secrets),
        ]
    }

    private static func decode(
        _ events: [ArraySlice<UInt8>], by decoder: any AnswerDecoder
    ) {
        for data in events {
            do throws(BackendFailure) {
                let event = try Property.bounded(data.count, memory: 64) {
                    () throws(BackendFailure) in try decoder.decodeChunk(data)
                }
                if let event { check(event, of: data.count) }
            } catch {
                check(error)
            }
        }
        Property.require(
            !decoder.isFinished || decoder.hasChoices, "an answer without a choice is finished")
    }

    private static func checkAnswer(_ bytes: [UInt8], by decoder: any AnswerDecoder) {
        do throws(BackendFailure) {
            let event = try Property.bounded(bytes.count, memory: 64) {
                () throws(BackendFailure) in try decoder.decodeAnswer(bytes)
            }
            check(event, of: bytes.count)
            Property.require(!event.deltas.isEmpty, "a whole answer says nothing")
            Property.require(
                event.deltas.allSatisfy { $0.finishReason != nil }, "a whole answer has no end")
        } catch {
            check(error)
        }
    }

    private static func check(_ event: BackendEvent, of count: Int) {
        var generated = 0
        for delta in event.deltas {
            Property.require(
                (0..<ChatChunkDecoder.maximumChoices).contains(delta.index),
                "a choice is out of range")
            Property.require(
                delta.toolCalls.allSatisfy { (0..<ToolCallReader.maximumCalls).contains($0.index) },
                "a tool call is out of range")
            for token in delta.logprobs {
                let all = [token.drawn] + token.alternatives
                Property.require(
                    token.alternatives.count <= alternatives
                        && all.allSatisfy { $0.logprob >= TokenLogprob.least },
                    "a probability is out of range")
            }
            generated += delta.generatedBytes
        }
        // Anthropic's calls are objects, which are written anew: a number may then be longer.
        Property.require(generated <= 8 * count, "more text was read than was sent")
        Property.require(event.completionTokensSoFar ?? 0 >= 0, "a count is negative")
        for usage in [event.usage, event.promptUsage] { check(usage) }
    }

    private static func check(_ usage: TokenUsage?) {
        guard let usage else { return }
        Property.require(
            min(usage.prompt, usage.cached, usage.cacheWrite, usage.completion, usage.reasoning)
                >= 0
                && usage.cached + usage.cacheWrite <= usage.prompt
                && usage.reasoning <= usage.completion,
            "a usage cannot be true")
    }

    /// What is told of a failure goes to the log: short, on one line and without the credential.
    private static func check(_ failure: BackendFailure) {
        let detail = failure.detail
        Property.require(
            detail.utf8.count <= 12 * LogExcerpt.maximumBytes, "a failure is told at length")
        Property.require(!detail.contains(secret), "a failure tells the credential")
        Property.require(
            detail.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control },
            "a failure is told with control characters")
    }
}

/// Where a stream is split: at random, and for the same bytes at the same places.
private struct Splits {
    private var state: UInt64 = 0xCBF2_9CE4_8422_2325

    init(_ bytes: [UInt8]) {
        for byte in bytes.prefix(1024) { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }

    mutating func next(upTo most: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return 1 + Int(state % UInt64(most))
    }
}
