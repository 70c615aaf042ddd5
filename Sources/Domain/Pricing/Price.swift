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
    /// Of the request itself, beside its tokens.
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
    /// one's and the fee alone (FNV-1a, 64 bits of which 63 are kept), as each node must find the
    /// same.
    public func adding(fee: NanoUSD) -> Price {
        precondition(fee >= .zero, "a price is never negative")
        guard fee > .zero else { return self }
        let bytes = [version, fee.rawValue].flatMap { number in
            (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        }
        let hash = bytes.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { hash, byte in
            (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
        }
        var price = Price(
            version: Int64(hash & 0x7FFF_FFFF_FFFF_FFFF), prompt: prompt, cached: cached,
            cacheWrite: cacheWrite, completion: completion)
        price.fee = fee
        return price
    }

    /// The version of this number, as it was written down: with its fee.
    public static func written(_ price: Price, fee: NanoUSD) -> Price {
        precondition(fee >= .zero, "a price is never negative")
        var price = price
        price.fee = fee
        return price
    }

    /// The cost of `usage`, rounded up once, so that a request is never billed below its price.
    /// Saturates at the largest amount, which no real request reaches.
    public func cost(of usage: TokenUsage) -> NanoUSD {
        let plain = max(0, usage.prompt - usage.cached - usage.cacheWrite)
        return Self.roundedUp(
            Self.times(plain, prompt) + Self.times(usage.cached, cached)
                + Self.times(usage.cacheWrite, cacheWrite)
                + Self.times(usage.completion, completion) + Self.times(1_000_000, fee))
    }

    /// The most that a request within `bound` can cost: every prompt token at its dearest class.
    public func highestCost(within bound: TokenBound) -> NanoUSD {
        Self.roundedUp(
            Self.times(bound.prompt, max(prompt, cached, cacheWrite))
                + Self.times(bound.completion, completion) + Self.times(1_000_000, fee))
    }

    /// At full width, so that no product wraps.
    private static func times(_ tokens: Int64, _ perMillion: NanoUSD) -> Int128 {
        Int128(tokens) * Int128(perMillion.rawValue)
    }

    private static func roundedUp(_ millionths: Int128) -> NanoUSD {
        NanoUSD(rawValue: Int64(clamping: (millionths + 999_999) / 1_000_000))
    }
}
