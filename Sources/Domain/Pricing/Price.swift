/// What a model's tokens cost, per million, by class. Immutable: a change of price is a new
/// version.
public struct Price: Sendable, Hashable {
    /// Names this version in the ledger: the same model and amounts give the same number.
    public let version: Int64
    /// Per million prompt tokens that came from no cache.
    public let prompt: NanoUSD
    /// Per million prompt tokens read from a cache.
    public let cached: NanoUSD
    /// Per million prompt tokens written to a cache.
    public let cacheWrite: NanoUSD
    /// Per million completion tokens, reasoning included.
    public let completion: NanoUSD
    /// Per million prompt tokens of audio that came from no cache; nil where they cost what text
    /// costs.
    public private(set) var audioPrompt: NanoUSD?
    /// Per million completion tokens of sound; nil where they cost what text costs.
    public private(set) var audioCompletion: NanoUSD?
    /// Of the request itself, beside its tokens: of a search of the web.
    public private(set) var fee = NanoUSD.zero

    /// Makes a version of a price. Amounts are per million tokens and not negative.
    public init(
        version: Int64, prompt: NanoUSD, cached: NanoUSD, cacheWrite: NanoUSD, completion: NanoUSD
    ) {
        precondition(
            min(prompt, cached, cacheWrite, completion) >= .zero, "a price is never negative")
        self.version = version
        self.prompt = prompt
        self.cached = cached
        self.cacheWrite = cacheWrite
        self.completion = completion
    }

    /// The same with a fee for each request: a version of its own, whose number follows from this
    /// one's and the fee alone, as each node must find the same.
    public func adding(fee: NanoUSD) -> Price {
        precondition(fee >= .zero, "a price is never negative")
        guard fee > .zero else { return self }
        return renumbered(
            Self.number(of: [version, fee.rawValue]), fee, audioPrompt, audioCompletion)
    }

    /// The same with prices of sound: a version of its own, whose number follows in the same way.
    public func adding(audioPrompt: NanoUSD?, audioCompletion: NanoUSD?) -> Price {
        precondition(
            min(audioPrompt ?? .zero, audioCompletion ?? .zero) >= .zero,
            "a price is never negative")
        guard audioPrompt != nil || audioCompletion != nil else { return self }
        let parts = [version, audioPrompt?.rawValue ?? -1, audioCompletion?.rawValue ?? -1]
        return renumbered(Self.number(of: parts), fee, audioPrompt, audioCompletion)
    }

    /// The version of this number, as it was written down: with its fee and prices of sound.
    public static func written(
        _ price: Price, fee: NanoUSD, audioPrompt: NanoUSD? = nil, audioCompletion: NanoUSD? = nil
    ) -> Price {
        precondition(
            min(fee, audioPrompt ?? .zero, audioCompletion ?? .zero) >= .zero,
            "a price is never negative")
        return price.renumbered(price.version, fee, audioPrompt, audioCompletion)
    }

    /// The same version for a request that can have no sound in its prompt, or none in its answer:
    /// its bound need not be that of sound.
    public func limited(toAudioPrompt hears: Bool, audioCompletion speaks: Bool) -> Price {
        if hears || audioPrompt == nil, speaks || audioCompletion == nil { return self }
        return renumbered(version, fee, hears ? audioPrompt : nil, speaks ? audioCompletion : nil)
    }

    /// The cost of `usage`, rounded up once, so that a request is never billed below its price.
    /// Saturates at the largest amount, which no real request reaches.
    ///
    /// What a backend says of the cache holds before what it says of sound: nobody tells how much
    /// of the cached was sound.
    public func cost(of usage: TokenUsage) -> NanoUSD {
        let fresh = max(0, usage.prompt - usage.cached - usage.cacheWrite)
        let heard = min(usage.audioPrompt, fresh)
        return Self.roundedUp(
            Self.times(fresh - heard, prompt) + Self.times(heard, audioPrompt ?? prompt)
                + Self.times(usage.cached, cached) + Self.times(usage.cacheWrite, cacheWrite)
                + Self.times(usage.completion - usage.audioCompletion, completion)
                + Self.times(usage.audioCompletion, audioCompletion ?? completion)
                + Self.times(1_000_000, fee))
    }

    /// The most that a request within `bound` can cost: every token at its dearest class.
    public func highestCost(within bound: TokenBound) -> NanoUSD {
        Self.roundedUp(
            Self.times(bound.prompt, max(prompt, cached, cacheWrite, audioPrompt ?? .zero))
                + Self.times(bound.completion, max(completion, audioCompletion ?? .zero))
                + Self.times(1_000_000, fee))
    }

    private func renumbered(
        _ version: Int64, _ fee: NanoUSD, _ audioPrompt: NanoUSD?, _ audioCompletion: NanoUSD?
    ) -> Price {
        var price = Price(
            version: version, prompt: prompt, cached: cached, cacheWrite: cacheWrite,
            completion: completion)
        price.fee = fee
        price.audioPrompt = audioPrompt
        price.audioCompletion = audioCompletion
        return price
    }

    /// FNV-1a, 64 bits of which 63 are kept.
    private static func number(of parts: [Int64]) -> Int64 {
        let bytes = parts.flatMap { number in
            (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        }
        let hash = bytes.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { hash, byte in
            (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
        }
        return Int64(hash & 0x7FFF_FFFF_FFFF_FFFF)
    }

    /// At full width, so that no product wraps.
    private static func times(_ tokens: Int64, _ perMillion: NanoUSD) -> Int128 {
        Int128(tokens) * Int128(perMillion.rawValue)
    }

    private static func roundedUp(_ millionths: Int128) -> NanoUSD {
        NanoUSD(rawValue: Int64(clamping: (millionths + 999_999) / 1_000_000))
    }
}

extension Price {
    /// Makes the version of a price whose number follows from the alias and the amounts alone
    /// (FNV-1a, 64 bits of which 63 are kept), so that every node and every start names the same
    /// price by the same number.
    public init(
        alias: String, prompt: NanoUSD, cached: NanoUSD, cacheWrite: NanoUSD, completion: NanoUSD
    ) {
        let amounts = [prompt, cached, cacheWrite, completion]
        let text = "\(alias)\n" + amounts.map { String($0.rawValue) }.joined(separator: "\n")
        let hash = text.utf8.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { hash, byte in
            (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
        }
        self.init(
            version: Int64(hash & 0x7FFF_FFFF_FFFF_FFFF), prompt: prompt, cached: cached,
            cacheWrite: cacheWrite, completion: completion)
    }
}
