import Domain
import Testing

/// Sound has prices of its own.
@Suite struct `Prices of sound` {
    private static func price(_ heard: Int64?, _ spoken: Int64?) -> Price {
        Price(
            alias: "tiny", prompt: NanoUSD(rawValue: 2_000_000),
            cached: NanoUSD(rawValue: 1_000_000), cacheWrite: NanoUSD(rawValue: 3_000_000),
            completion: NanoUSD(rawValue: 4_000_000)
        ).adding(
            audioPrompt: heard.map { NanoUSD(rawValue: $0 * 1_000_000) },
            audioCompletion: spoken.map { NanoUSD(rawValue: $0 * 1_000_000) })
    }

    @Test func `sound is charged by its class, and text by its own`() {
        let usage = TokenUsage(prompt: 100, cached: 10, completion: 50)
            .withAudio(prompt: 30, completion: 40)
        #expect(Self.price(nil, nil).cost(of: usage).rawValue == 90 * 2 + 10 + 50 * 4)
        #expect(
            Self.price(20, 40).cost(of: usage).rawValue == 60 * 2 + 30 * 20 + 10 + 10 * 4 + 40 * 40)
        #expect(
            Self.price(nil, 40).cost(of: usage).rawValue == 90 * 2 + 10 + 10 * 4 + 40 * 40)
    }

    @Test func `a version is made by its prices of sound, and text alone keeps the one it had`() {
        let versions = [
            Self.price(nil, nil), Self.price(1, nil), Self.price(nil, 1), Self.price(1, 1),
            Self.price(0, nil),
        ].map(\.version)
        #expect(Set(versions).count == versions.count)
        #expect(Self.price(1, 2) == Self.price(1, 2))
        let fee = NanoUSD(rawValue: 5)
        #expect(Self.price(1, 2).adding(fee: fee).audioPrompt == Self.price(1, 2).audioPrompt)
        #expect(Self.price(1, 2).adding(fee: fee).version != Self.price(1, 2).version)
    }

    @Test func `a bound is that of the dearest class that the request can have`() {
        let bound = TokenBound(prompt: 10, completion: 10)
        let price = Self.price(20, 40)
        #expect(price.highestCost(within: bound).rawValue == 10 * 20 + 10 * 40)
        for (hears, speaks, most) in [
            (false, false, 30 + 40), (true, false, 200 + 40), (false, true, 30 + 400),
        ] as [(Bool, Bool, Int64)] {
            let limited = price.limited(toAudioPrompt: hears, audioCompletion: speaks)
            #expect(limited.version == price.version)
            #expect(limited.highestCost(within: bound).rawValue == most)
        }
    }

    @Test func `no usage within a bound costs more than the bound, whatever is said of its parts`()
    {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let price = Self.price(
                Bool.random() ? .random(in: 0...50) : nil, Bool.random() ? .random(in: 0...50) : nil
            )
            let bound = TokenBound(
                prompt: .random(in: 1...100, using: &random),
                completion: .random(in: 1...100, using: &random))
            let usage = TokenUsage(
                prompt: .random(in: 0...bound.prompt), cached: .random(in: -5...120),
                cacheWrite: .random(in: -5...120), completion: .random(in: 0...bound.completion)
            ).withAudio(prompt: .random(in: -5...120), completion: .random(in: -5...120))
            #expect(price.cost(of: usage) <= price.highestCost(within: bound))
            #expect(usage.audioPrompt <= usage.prompt && usage.audioPrompt >= 0)
        }
    }

    @Test func `terms are read as they are written, and a route has no prices but those given`() {
        for terms in PriceTerms.all { #expect(PriceTerms(name: terms.name) == terms) }
        #expect(PriceTerms(name: "slow") == nil)
        var route = ModelRoute(
            alias: "tiny", backends: ["a"], upstreamModel: "m", contextTokens: 9,
            maximumCompletionTokens: 9, imageTokens: nil, price: Self.price(nil, nil))
        route.tiers = [.flex: Self.price(1, nil)]
        route.search = SearchTerms(promptTokens: 1, fee: NanoUSD(rawValue: 5))
        #expect(route.priced(route.prices) == route)
        #expect(route.versions.count == 4)
        let bare = route.priced([:])
        #expect(bare.price == nil && bare.tiers.isEmpty && bare.search?.fee == nil)
        #expect(bare.search?.promptTokens == 1)
    }

    @Test(arguments: [(1, true), (2, false), (3, false)] as [(Int64, Bool)])
    func `a charge names the version that it is of`(_ served: Int64, _ isServed: Bool) {
        func flat(_ amount: Int64) -> Price {
            let amount = NanoUSD(rawValue: amount * 1_000_000)
            return Price(
                alias: "tiny", prompt: amount, cached: amount, cacheWrite: amount,
                completion: amount)
        }
        var settlement = Settlement(
            usage: TokenUsage(prompt: 3, completion: 4), basis: .reported, endState: .finished,
            timeToFirstToken: nil, duration: .zero)
        settlement.served = flat(served)
        let charge = Charge(
            settlement, bound: TokenBound(prompt: 10, completion: 10), price: flat(2))
        #expect(charge.servedVersion == (isServed ? flat(served).version : nil))
    }
}
