import Domain
import Testing

@testable import Gateway

/// Sound that has a price of its own in the model's price.
@Suite struct `Sound at its own price` {
    private static let asked =
        #""modalities":["text","audio"],"audio":{"voice":"alloy","format":"pcm16"}"#
    private static let price: Price = {
        let text = NanoUSD(rawValue: 1_000_000)
        return Price(
            alias: "tiny", prompt: text, cached: text, cacheWrite: text, completion: text
        ).adding(
            audioPrompt: NanoUSD(rawValue: 20_000_000),
            audioCompletion: NanoUSD(rawValue: 40_000_000))
    }()

    private static var route: ModelRoute {
        var route = ModelRoute(
            alias: "tiny", backends: ["local"], upstreamModel: "t", contextTokens: 1024,
            maximumCompletionTokens: 512, imageTokens: nil, price: price)
        route.speech = SpeechTerms()
        return route
    }

    /// Asks for 8 tokens, spoken or not, and gives what was reserved and charged.
    private func charge(
        spoken: Bool, told: Int64, sound: String?
    ) async throws -> (most: Int64, charge: Charge, usage: TokenUsage) {
        var delta = ChoiceDelta(index: 0, content: "x", finishReason: .stop)
        delta.sound = sound.map { SoundPiece(data: $0) }
        var event = BackendEvent(deltas: [delta], usage: TokenUsage(prompt: 6, completion: 4))
        var parts = UsageParts.none
        parts.completionAudio = told
        event.usageParts = parts
        let backend = ScriptedBackend(.answer(FedAnswer([[event]], ends: true)))
        var found: (Int64, Charge, TokenUsage)?
        try await withGateway(backend: backend, routes: [Self.route]) { gateway in
            let more = spoken ? ",\(Self.asked)" : ""
            let text = try await gateway.post(
                #"{"model":"tiny","messages":"hi","max_tokens":8\#(more)}"#)
            #expect(text.hasPrefix("HTTP/1.1 200"), "\(text)")
            let admission = try #require(gateway.ledger.admissions.elements.first)
            let settlement = try #require(gateway.ledger.settlements.elements.first)
            #expect(admission.price?.version == Self.price.version)
            let charge = Charge(settlement, bound: admission.bound, price: admission.price)
            found = (admission.units(of: .cost), charge, settlement.usage)
            #expect(charge.cost.rawValue <= admission.units(of: .cost))
        }
        return try #require(found)
    }

    @Test func `sound is charged as sound and text as text`() async throws {
        let told = try await charge(spoken: true, told: 3, sound: "AAAA")
        #expect(told.usage.audioCompletion == 3)
        #expect(told.charge.cost.rawValue == 6 + 1 + 3 * 40)
    }

    @Test func `an answer of which sound came and nothing was told is sound`() async throws {
        let silent = try await charge(spoken: true, told: 0, sound: "AAAA")
        #expect(silent.charge.cost.rawValue == 6 + 4 * 40)
        // Nothing came of it: it was text.
        let text = try await charge(spoken: true, told: 0, sound: nil)
        #expect(text.charge.cost.rawValue == 6 + 4)
    }

    @Test func `a request that cannot have sound reserves none, whatever an upstream tells`()
        async throws
    {
        let spoken = try await charge(spoken: true, told: 1, sound: "AAAA")
        let plain = try await charge(spoken: false, told: 4, sound: nil)
        #expect(spoken.most - plain.most == 8 * 39)
        #expect(plain.charge.cost.rawValue == 6 + 4 && !plain.usage.hasAudio)
    }
}
