import Domain
import TestSupport

/// One way in which an upstream does not keep to its protocol, and what comes of it.
struct Lie: Sendable, CustomStringConvertible {
    typealias Step = ScriptedUpstream.Step

    /// What a client sees, and how the request is settled.
    enum Outcome: Sendable, Equatable {
        /// A whole answer; the count is the upstream's or the gateway's.
        case finished(UsageBasis)
        /// An answer that was cut at its bound, at the gateway's count.
        case cut
        /// 200, some text, and an error event; what was delivered is charged.
        case broken
        /// A status in front of everything, at no charge.
        case refused(Int)
    }

    let description: String
    /// The answer as a stream, and what comes of it for a client that streams.
    let stream: @Sendable (LiarFormat) -> [Step]
    let streamed: Outcome
    /// What comes of the same stream for a client that wants a plain answer.
    let collected: Outcome
    /// The answer as one body, and what comes of that.
    let body: @Sendable (LiarFormat) -> [Step]
    let whole: Outcome

    private static let words = (0..<12).map { "w\($0) " }

    /// The lies of the issue, in its order; requests are bounded at 8 tokens.
    static let all: [Lie] = tooMuch + falseCounts + endless + broken

    private static let tooMuch = [
        Lie(
            description: "more tokens than max_tokens",
            stream: { $0.stream(words, told: .init(completion: "12")) }, streamed: .cut,
            collected: .cut,
            body: { Step.json(200, $0.whole(words.joined(), told: .init(completion: "12"))) },
            whole: .finished(.reported)),
        Lie(
            description: "far more text than max_tokens can be",
            stream: { $0.stream([String(repeating: "x", count: 9000)]) }, streamed: .cut,
            collected: .refused(502),
            body: { Step.json(200, $0.whole(String(repeating: "x", count: 9000))) },
            whole: .refused(502)),
        Lie(
            description: "another model",
            stream: { $0.stream(["a"], model: "leak") }, streamed: .finished(.reported),
            collected: .finished(.reported),
            body: { Step.json(200, $0.whole("a", model: "leak")) }, whole: .finished(.reported)),
    ]

    private static func counting(_ what: String, _ told: LiarFormat.Told?, _ basis: UsageBasis)
        -> Lie
    {
        Lie(
            description: what, stream: { $0.stream(["a", "b"], told: told) },
            streamed: .finished(basis), collected: .finished(basis),
            body: { Step.json(200, $0.whole("a b", told: told)) }, whole: .finished(basis))
    }

    private static let falseCounts = [
        counting("no usage", nil, .counted),
        counting("a usage that is inflated", .init(completion: "5000000000"), .reported),
        counting(
            "a usage beyond all numbers", .init(prompt: "9223372036854775807"), .reported),
        counting("a usage that is no number", .init(completion: #""3""#), .counted),
        counting("a negative completion", .init(completion: "-3"), .counted),
        counting("a negative prompt", .init(prompt: "-7"), .counted),
    ]

    private static let endless = [
        Lie(
            description: "text without end",
            stream: {
                [.streamHead] + $0.opening() + Array(repeating: $0.say("x"), count: 200)
                    + [.silence]
            }, streamed: .cut, collected: .cut,
            body: { _ in
                [
                    .head(200, [("content-type", "application/json")]),
                    .body(Array("{\"choices\":[".utf8)),
                    .body([UInt8](repeating: 0x20, count: 200_000)), .silence,
                ]
            }, whole: .refused(502)),
        Lie(
            description: "events without end that say nothing",
            stream: { format in
                [.streamHead] + Array(repeating: format.ping, count: 20_000) + [.silence]
            }, streamed: .refused(502), collected: .refused(502),
            body: { _ in
                [.head(200, [("content-type", "application/json")]), .silence]
            }, whole: .refused(504)),
        Lie(
            description: "a head and then silence",
            stream: { _ in [.streamHead, .silence] }, streamed: .refused(504),
            collected: .refused(504),
            body: { _ in [.head(200, [("content-type", "application/json")]), .silence] },
            whole: .refused(504)),
    ]

    private static func breaking(_ what: String, _ end: @escaping @Sendable (LiarFormat) -> [Step])
        -> Lie
    {
        Lie(
            description: what,
            stream: { [.streamHead] + $0.opening() + [$0.say("a")] + end($0) }, streamed: .broken,
            collected: .refused(502),
            body: { format in
                [.head(200, [("content-type", "application/json")])] + end(format) + [.end]
            }, whole: .refused(502))
    }

    private static let broken = [
        breaking("broken UTF-8") { format in
            var piece: [UInt8] = []
            if case .body(let bytes) = format.say("??") { piece = bytes }
            // A lead byte without its continuation.
            return [.body(piece.map { $0 == UInt8(ascii: "?") ? 0xC3 : $0 })]
        },
        breaking("half an event") { format in
            guard case .body(let bytes) = format.say("half") else { return [] }
            return [.body(Array(bytes.prefix(bytes.count / 2))), .drop]
        },
        breaking("an event larger than a mebibyte") { _ in
            [
                .body(Array("data: ".utf8)), .body([UInt8](repeating: 0x78, count: 1 << 21)),
                .silence,
            ]
        },
        breaking("something that is no JSON") { _ in [.event("<html>leak</html>")] },
        Lie(
            description: "a 200 with an error inside",
            stream: { [.streamHead] + $0.error(isWhole: false) + [.end] }, streamed: .refused(502),
            collected: .refused(502), body: { $0.error(isWhole: true) }, whole: .refused(502)),
        Lie(
            description: "an error in the middle",
            stream: {
                [.streamHead] + $0.opening() + [$0.say("a")] + $0.error(isWhole: false) + [.end]
            }, streamed: .broken, collected: .refused(502), body: { $0.error(isWhole: true) },
            whole: .refused(502)),
        Lie(
            description: "a 200 with nothing in it",
            stream: { _ in [.streamHead, .end] }, streamed: .refused(502),
            collected: .refused(502), body: { _ in Step.json(200, "") }, whole: .refused(502)),
        Lie(
            description: "no answer at all", stream: { _ in [.drop] }, streamed: .refused(502),
            collected: .refused(502), body: { _ in [.drop] }, whole: .refused(502)),
    ]
}
