import Domain
import Foundation
import Testing

@testable import Gateway

/// What OpenAI's own API has and not every upstream: predictions, tiers, keeping, citations.
@Suite struct UpstreamExtras {
    private let none = Dialect.openAI(bound: .maxTokens)
    private let all = Dialect.openAI(bound: .maxTokens, extras: [.prediction, .store])

    // MARK: Requests

    @Test(arguments: [
        (#""abc""#, ChatMessage.Content.text("abc")),
        (#"[{"type":"text","text":"abc"}]"#, .parts([.text("abc")])),
    ])
    func `a prediction goes to upstreams that take one, and is refused elsewhere`(
        _ text: String, _ content: ChatMessage.Content
    ) throws {
        let request = try readRequest(#""prediction":{"type":"content","content":\#(text)}"#)
        #expect(request.prediction == content)
        let sent = try forwardedBody(all) { $0.prediction = content }["prediction"] as? NSObject
        let wanted = try JSONSerialization.jsonObject(
            with: Data(#"{"type":"content","content":\#(text)}"#.utf8))
        #expect(sent == wanted as? NSObject)
        #expect(all.unsupportedParameter(in: request) == nil)
        #expect(none.unsupportedParameter(in: request) == "prediction")
        #expect(Dialect.llamaServer.unsupportedParameter(in: request) == "prediction")
        // A check that replaces what goes in replaces this too.
        var replaced = request
        #expect(replaced.checkedTexts == ["hi", "abc"])
        replaced.checkedTexts = ["hi", "x"]
        #expect(replaced.prediction?.texts == ["x"])
    }

    private static let refused: [RefusedMembers] = [
        .init(#""prediction":"x""#, "prediction", .invalidType),
        .init(#""prediction":{"content":"x"}"#, "prediction.type", .missingRequiredParameter),
        .init(#""prediction":{"type":"x"}"#, "prediction.type", .invalidValue),
        .init(#""prediction":{"type":"content"}"#, "prediction.content", .missingRequiredParameter),
        .init(#""prediction":{"type":"content","content":[]}"#, "prediction.content", .emptyArray),
        .init(
            #""prediction":{"type":"content","content":[{"type":"image_url","image_url":"x"}]}"#,
            "prediction.content[0].type", .invalidValue),
        .init(#""store":1"#, "store", .invalidType),
        .init(#""service_tier":"slow""#, "service_tier", .invalidValue),
    ]

    @Test(arguments: refused) func `a wrong one is refused with its path`(
        _ row: RefusedMembers
    ) throws {
        try row.check()
    }

    @Test func `an answer is kept only where the upstream can and the client asks`() throws {
        let asked = try readRequest(#""store":true"#)
        #expect(try readRequest(#""store":false"#) == readRequest(""))
        #expect(none.unsupportedParameter(in: asked) == "store")
        #expect(Dialect.llamaServer.unsupportedParameter(in: asked) == "store")
        #expect(all.unsupportedParameter(in: asked) == nil)
        #expect(try forwardedBody(all) { $0.isStored = true }["store"] as? Bool == true)
        #expect(try forwardedBody(all)["store"] == nil)
        // Notes are for finding what is stored.
        let notes = [MetadataEntry(key: "a", value: "b")]
        let stored = try forwardedBody(all) {
            $0.isStored = true
            $0.metadata = notes
        }
        #expect(stored["metadata"] as? [String: String] == ["a": "b"])
        #expect(try forwardedBody(all) { $0.metadata = notes }["metadata"] == nil)
    }

    // MARK: Through the gateway

    private static func price(_ version: Int64) -> Price {
        Price(
            version: version, prompt: NanoUSD(rawValue: version),
            cached: NanoUSD(rawValue: version), cacheWrite: NanoUSD(rawValue: version),
            completion: NanoUSD(rawValue: version))
    }

    private static let tiered = {
        var route = ModelRoute(
            alias: "tiny", backends: ["local"], upstreamModel: "t", contextTokens: 1024,
            maximumCompletionTokens: 512, imageTokens: nil, price: price(1))
        route.tiers = [.flex: price(2), .standard: price(3)]
        return route
    }()

    @Test func `a service tier is one that the model has, at that tier's own price`() async throws {
        let backend = ScriptedBackend(.text(["x"], nil))
        try await withGateway(backend: backend, routes: [Self.tiered]) { gateway in
            let rows: [(String, Int64, ServiceTier?)] = [
                ("", 1, nil), (#","service_tier":"auto""#, 1, nil),
                (#","service_tier":"flex""#, 2, .flex),
                (#","service_tier":"default""#, 3, .standard),
            ]
            for (members, _, _) in rows {
                let answer = try await gateway.post(
                    #"{"model":"tiny","messages":"hi","max_tokens":8\#(members)}"#)
                #expect(answer.hasPrefix("HTTP/1.1 200"), "\(answer)")
            }
            #expect(gateway.ledger.admissions.elements.map(\.price?.version) == rows.map(\.1))
            #expect(backend.calls.elements.map(\.request.serviceTier) == rows.map(\.2))
            let refused = try await gateway.post(
                #"{"model":"tiny","messages":"hi","service_tier":"priority"}"#)
            #expect(refused.contains(#""param":"service_tier","code":"unsupported_parameter""#))
            #expect(gateway.ledger.admissions.elements.count == rows.count)
        }
        var request = ChatCompletionRequest.plain { $0.serviceTier = .flex }
        #expect(
            try forwardedBody(none) { $0.serviceTier = .flex }["service_tier"] as? String == "flex")
        #expect(Dialect.llamaServer.unsupportedParameter(in: request) == "service_tier")
        request.serviceTier = .auto
        #expect(Dialect.llamaServer.unsupportedParameter(in: request) == nil)
    }

    @Test func `what of a prediction may not come true is reserved for each choice`() async throws {
        let backend = ScriptedBackend(.text(["x"], nil))
        try await withGateway(backend: backend) { gateway in
            let prediction = #","prediction":{"type":"content","content":"0123456789"}"#
            for members in ["", prediction, #","n":1\#(prediction)"#] {
                _ = try await gateway.post(
                    #"{"model":"tiny","messages":"hi","max_tokens":8\#(members)}"#)
            }
            let bounds = gateway.ledger.admissions.elements.map(\.bound)
            #expect(bounds.map(\.completion) == [8, 18, 18])
            #expect(Set(bounds.map(\.prompt)).count == 1)
            #expect(backend.calls.elements.map(\.completionBound) == [8, 8, 8])
        }
    }

    // MARK: Answers

    private static let usage =
        #"{"prompt_tokens":30,"completion_tokens":20,"prompt_tokens_details":{"audio_tokens":7},"#
        + #""completion_tokens_details":{"accepted_prediction_tokens":5,"rejected_prediction_tokens":9}}"#
    private static let citation =
        #"{"type":"url_citation","url_citation":{"start_index":1,"end_index":4,"title":"T","url":"https://e.org/"}}"#

    private func decoder() -> ChatChunkDecoder {
        ChatChunkDecoder(maximumBytes: 4096, readsTimings: false, alternatives: nil, secrets: [])
    }

    /// Three events of an answer, the first of which says only who speaks and the tier.
    private func events() throws -> [BackendEvent] {
        let decoder = decoder()
        return try [
            #"{"service_tier":"flex","choices":[{"index":0,"delta":{"role":"assistant"}}]}"#,
            #"{"service_tier":"flex","choices":[{"index":0,"delta":{"content":"abcd","annotations":[\#(Self.citation),{"type":"x"}]}}]}"#,
            #"{"service_tier":"flex","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
            #"{"choices":[],"usage":\#(Self.usage)}"#,
        ].compactMap { try decoder.decodeChunk(Array($0.utf8)[...]) }
    }

    @Test func `a tier is told with the first event that says something`() throws {
        let events = try events()
        #expect(events.map(\.serviceTier) == [.flex, nil, nil])
        #expect(
            events[0].deltas[0].annotations == [
                Annotation(start: 1, end: 4, title: "T", url: "https://e.org/")
            ])
        let odd =
            #"{"service_tier":"/etc/passwd","choices":[{"index":0,"message":{"content":"a"}}]}"#
        #expect(try decoder().decodeAnswer(Array(odd.utf8)).serviceTier == nil)
    }

    @Test(arguments: [false, true])
    func `tier, citations and parts of the count are told, plain and streamed`(
        _ streams: Bool
    ) async throws {
        let answer = FedAnswer(try events().map { [$0] }, ends: true)
        try await withGateway(backend: ScriptedBackend(.answer(answer))) { gateway in
            let text = try await gateway.post(
                #"{"model":"tiny","messages":"hi","stream":\#(streams)\#(streams ? #","stream_options":{"include_usage":true}"# : "")}"#
            )
            #expect(text.contains(#""annotations":[\#(Self.citation)]"#), "\(text)")
            #expect(text.components(of: #""service_tier":"flex""#) == (streams ? 4 : 1), "\(text)")
            for part in [
                #""audio_tokens":7"#, #""accepted_prediction_tokens":5"#,
                #""rejected_prediction_tokens":9"#, #""completion_tokens":20"#,
            ] { #expect(text.contains(part), "\(part)") }
        }
    }

    @Test func `parts of a count are never more than their whole`() {
        let parts = UsageParts(promptAudio: 9, acceptedPrediction: 7, rejectedPrediction: 7)
        #expect(
            parts.within(prompt: 4, completion: 10)
                == UsageParts(promptAudio: 4, acceptedPrediction: 7, rejectedPrediction: 3))
    }
}
