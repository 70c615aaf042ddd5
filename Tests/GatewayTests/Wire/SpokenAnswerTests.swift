import Domain
import Foundation
import Testing

@testable import Gateway

/// Answers in sound (`modalities`, `audio`), and messages that name one.
@Suite struct SpokenAnswers {
    private let none = Dialect.openAI(bound: .maxTokens)
    private let able = Dialect.openAI(bound: .maxTokens, extras: [.audio])
    private static let asked =
        #""modalities":["text","audio"],"audio":{"voice":"alloy","format":"pcm16"}"#

    // MARK: Requests

    @Test(arguments: [
        (
            asked, SpokenAnswer(format: .pcm16, voice: .named("alloy"), saysText: true),
            #"{"modalities":["text","audio"],"audio":{"voice":"alloy","format":"pcm16"}}"#
        ),
        (
            #""audio":{"format":"mp3","voice":{"id":"v1"}},"modalities":["audio"]"#,
            SpokenAnswer(format: .mp3, voice: .made(id: "v1"), saysText: false),
            #"{"modalities":["audio"],"audio":{"voice":{"id":"v1"},"format":"mp3"}}"#
        ),
    ])
    func `speech goes to upstreams that speak, and is refused elsewhere`(
        _ members: String, _ speech: SpokenAnswer, _ told: String
    ) throws {
        let request = try readRequest(members)
        #expect(request.speech == speech)
        let sent = try forwardedBody(able) { $0.speech = speech }
            .filter { ["modalities", "audio"].contains($0.key) }
        let wanted = try JSONSerialization.jsonObject(with: Data(told.utf8))
        #expect(sent as NSDictionary == wanted as? NSDictionary)
        #expect(able.unsupportedParameter(in: request) == nil)
        for dialect in [none, .llamaServer] {
            #expect(dialect.unsupportedParameter(in: request) == "modalities")
        }
        #expect(try readRequest(#""modalities":["text"],"audio":null"#) == readRequest(""))
    }

    private static let refused: [RefusedMembers] = [
        .init(#""modalities":"audio""#, "modalities", .invalidType),
        .init(#""modalities":[]"#, "modalities", .emptyArray),
        .init(#""modalities":["text","audio","text"]"#, "modalities", .arrayAboveMaxLength),
        .init(#""modalities":["smell"]"#, "modalities[0]", .invalidValue),
        .init(#""modalities":["audio"]"#, "audio", .missingRequiredParameter),
        .init(#""audio":{"voice":"a","format":"wav"}"#, "audio", .invalidValue),
        .init(
            #""modalities":["audio"],"audio":{"voice":"a"}"#, "audio.format",
            .missingRequiredParameter),
        .init(
            #""modalities":["audio"],"audio":{"format":"wav"}"#, "audio.voice",
            .missingRequiredParameter),
        .init(
            #""modalities":["audio"],"audio":{"voice":"a","format":"ogg"}"#, "audio.format",
            .invalidValue),
        .init(
            #""modalities":["audio"],"audio":{"voice":{},"format":"wav"}"#, "audio.voice.id",
            .missingRequiredParameter),
        .init(
            #""modalities":["audio"],"audio":{"voice":"","format":"wav"}"#, "audio.voice",
            .invalidValue),
        .init(
            #""modalities":["audio"],"audio":{"voice":"a","format":"wav"},"stream":true"#,
            "audio.format", .invalidValue),
        .init(asked + #","output":{"toxicity":true}"#, "output", .invalidValue),
    ]

    @Test(arguments: refused) func `a wrong one is refused with its path`(
        _ row: RefusedMembers
    ) throws {
        try row.check()
    }

    // MARK: Earlier answers

    private static let history =
        #"{"role":"assistant","audio":{"id":"audio_1","data":"AAAA","transcript":"x","expires_at":9}}"#

    private static func body(_ message: String) -> String {
        #"{"model":"tiny","messages":[\#(message),{"role":"user","content":"hi"}],"max_tokens":8}"#
    }

    @Test func `an earlier spoken answer is named by its id and needs no text`() throws {
        let request = try readRequest(body: Self.body(Self.history))
        #expect(request.messages[0].spokenID == "audio_1" && request.messages[0].content == .none)
        let body = try forwardedBody(able) { $0.messages = request.messages }
        let first = try #require((body["messages"] as? [[String: Any]])?.first)
        #expect(first["audio"] as? [String: String] == ["id": "audio_1"])
        #expect(first["content"] is NSNull)
        #expect(able.unsupportedParameter(in: request) == nil)
        for dialect in [none, .llamaServer] {
            #expect(dialect.unsupportedParameter(in: request) == "messages[0].audio")
        }
        // What says nothing is no answer.
        #expect(
            try readRequest(body: Self.body(#"{"role":"user","content":"a","audio":{}}"#))
                .messages[0].spokenID == nil)
        for (message, path) in [
            (#"{"role":"user","content":"a","audio":{"id":"a"}}"#, "messages[0].audio"),
            (#"{"role":"assistant","audio":{"data":"a"}}"#, "messages[0].audio.id"),
            (#"{"role":"assistant","audio":{"id":""}}"#, "messages[0].audio.id"),
            (#"{"role":"assistant","audio":"a"}"#, "messages[0].audio"),
        ] {
            let fault = try requestFault { try readRequest(body: Self.body(message)) }
            #expect(fault.parameter == path)
        }
    }

    // MARK: Bound and price

    private static func price(_ version: Int64) -> Price {
        let amount = NanoUSD(rawValue: version)
        return Price(
            version: version, prompt: amount, cached: amount, cacheWrite: amount,
            completion: amount)
    }

    private static func route(
        _ price: Price?, _ change: (inout SpeechTerms) -> Void
    ) -> ModelRoute {
        var route = ModelRoute(
            alias: "tiny", backends: ["local"], upstreamModel: "t", contextTokens: 1024,
            maximumCompletionTokens: 512, imageTokens: nil, price: price)
        var terms = SpeechTerms()
        change(&terms)
        route.speech = terms
        route.tiers = [.flex: Self.price(3)]
        return route
    }

    @Test func `speech has its own price, and is refused without one or in another tier`()
        async throws
    {
        let backend = ScriptedBackend(.text(["x"], nil))
        let ask = #"{"model":"tiny","messages":"hi","max_tokens":8,\#(Self.asked)"#
        let route = Self.route(Self.price(1)) { $0.price = Self.price(2) }
        try await withGateway(backend: backend, routes: [route]) { gateway in
            for more in ["", #","service_tier":"auto""#] {
                #expect(try await gateway.post(ask + more + "}").hasPrefix("HTTP/1.1 200"))
            }
            let tier = try await gateway.post(ask + #","service_tier":"flex"}"#)
            #expect(tier.contains(#""param":"service_tier","code":"unsupported_parameter""#))
            #expect(gateway.ledger.admissions.elements.map(\.price?.version) == [2, 2])
        }
        for (price, status) in [(Self.price(1), 400), (nil, 200)] {
            try await withGateway(
                backend: ScriptedBackend(.text(["x"], nil)), routes: [Self.route(price) { _ in }]
            ) { gateway in
                let answer = try await gateway.post(ask + "}")
                #expect(answer.hasPrefix("HTTP/1.1 \(status)"), "\(answer)")
                #expect(status == 200 || answer.contains(#""param":"modalities""#))
            }
        }
    }

    @Test func `an earlier spoken answer is reserved as the model's operator says, or refused`()
        async throws
    {
        let backend = ScriptedBackend(.text(["x"], nil))
        let text = Self.body(#"{"role":"assistant","content":null,"refusal":""}"#)
            .replacingOccurrences(of: #""content":null,"refusal":"""#, with: #""content":"""#)
        for (tokens, status) in [(300, 200), (nil, 400)] as [(Int64?, Int)] {
            let route = Self.route(nil) { $0.historyTokens = tokens }
            try await withGateway(backend: backend, routes: [route]) { gateway in
                let answer = try await gateway.post(Self.body(Self.history))
                #expect(answer.hasPrefix("HTTP/1.1 \(status)"), "\(answer)")
                guard let tokens else {
                    #expect(answer.contains(#""param":"messages[0].audio""#))
                    return
                }
                _ = try await gateway.post(text)
                let prompts = gateway.ledger.admissions.elements.map(\.bound.prompt)
                #expect(prompts[0] - prompts[1] == tokens + route.overhead.message)
                // A check of what goes in cannot read it.
                let checked = Self.body(Self.history).dropLast() + #","input":{"pii":"block"}}"#
                let refused = try await gateway.post(String(checked))
                #expect(refused.contains(#""param":"messages[0].audio""#), "\(refused)")
            }
        }
    }

    @Test func `sound that nobody counted is counted by its length`() {
        var count = CompletionCount(bound: 100)
        let second = String(repeating: "A", count: 64_000)
        var delta = ChoiceDelta(index: 0)
        delta.sound = SoundPiece(data: second)
        var isWithin = count.take(BackendEvent(deltas: [delta]))
        #expect(isWithin)
        // A second is twenty tokens.
        #expect(count.tokens == 20 && count.hasText && count.leastTokens == 0)
        delta.sound = SoundPiece(transcript: "twelve bytes")
        isWithin = count.take(BackendEvent(deltas: [delta]))
        #expect(isWithin)
        #expect(count.tokens == 23 && count.leastTokens == 1)
        delta.sound = SoundPiece(data: String(repeating: "A", count: 3 << 20))
        isWithin = count.take(BackendEvent(deltas: [delta]))
        #expect(!isWithin && count.isFlood)
        #expect(count.tokens == 100)
    }

    // MARK: Answers

    private static let usage =
        #"{"prompt_tokens":30,"completion_tokens":20,"completion_tokens_details":{"audio_tokens":15}}"#

    private func decoder(tellsSound: Bool) -> ChatChunkDecoder {
        ChatChunkDecoder(
            maximumBytes: 4096, readsTimings: false, alternatives: nil, secrets: [],
            tells: .init(sound: tellsSound))
    }

    private func events() throws -> [BackendEvent] {
        let decoder = decoder(tellsSound: true)
        return try [
            #"{"choices":[{"index":0,"delta":{"role":"assistant","audio":{"id":"audio_1","transcript":"Go"}}}]}"#,
            #"{"choices":[{"index":0,"delta":{"audio":{"data":"AAAA"}}}]}"#,
            #"{"choices":[{"index":0,"delta":{"audio":{"transcript":"od"}}}]}"#,
            #"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
            // The last one of OpenAI's comes after the end.
            #"{"choices":[{"index":0,"delta":{"audio":{"expires_at":1729234747}}}]}"#,
            #"{"choices":[],"usage":\#(Self.usage)}"#,
        ].compactMap { try decoder.decodeChunk(Array($0.utf8)[...]) }
    }

    @Test func `a stream of sound is told piece by piece, its end last`() async throws {
        let answer = FedAnswer(try events().map { [$0] }, ends: true)
        let route = Self.route(nil) { _ in }
        try await withGateway(backend: ScriptedBackend(.answer(answer)), routes: [route]) {
            gateway in
            let text = try await gateway.post(
                #"{"model":"tiny","messages":"hi","stream":true,"stream_options":{"include_usage":true},\#(Self.asked)}"#
            )
            let pieces = text.components(separatedBy: #""audio":"#).dropFirst().map {
                String($0.prefix { $0 != "}" })
            }
            #expect(
                pieces == [
                    #"{"id":"audio_1","transcript":"Go""#, #"{"data":"AAAA""#,
                    #"{"transcript":"od""#, #"{"expires_at":1729234747"#,
                ], "\(text)")
            #expect(text.contains(#""reasoning_tokens":0,"audio_tokens":15"#))
            #expect(text.hasSuffix("data: [DONE]\n\n") || text.contains("data: [DONE]"))
        }
    }

    @Test func `a whole spoken answer is told with all that names it`() async throws {
        let sound =
            #"{"id":"audio_1","data":"AAAA","transcript":"Good","expires_at":1729234747}"#
        let event = try decoder(tellsSound: true).decodeAnswer(
            Array(
                #"{"choices":[{"index":0,"message":{"content":null,"audio":\#(sound)},"finish_reason":"stop"}],"usage":\#(Self.usage)}"#
                    .utf8))
        let route = Self.route(nil) { _ in }
        let answer = FedAnswer([[event]], ends: true)
        try await withGateway(backend: ScriptedBackend(.answer(answer)), routes: [route]) {
            gateway in
            let text = try await gateway.post(
                #"{"model":"tiny","messages":"hi",\#(Self.asked)}"#)
            #expect(text.contains(#""audio":\#(sound)"#), "\(text)")
            #expect(text.contains(#""content":null"#))
        }
    }

    @Test func `sound that nobody asked for is not read, and what is none is malformed`()
        async throws
    {
        let chunk = #"{"choices":[{"index":0,"delta":{"audio":{"id":7}}}]}"#
        #expect(try decoder(tellsSound: false).decodeChunk(Array(chunk.utf8)[...]) == nil)
        let decoder = decoder(tellsSound: true)
        #expect(
            await failure { _ = try decoder.decodeChunk(Array(chunk.utf8)[...]) }?.kind
                == .malformed)
    }
}
