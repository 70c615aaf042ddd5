/// What one of a model's prices is for.
public enum PriceTerms: Sendable, Hashable {
    /// A request that says nothing of how it is to be served.
    case usual
    /// A request that asks for a service tier.
    case tier(ServiceTier)
    /// A request whose answer is spoken, where sound has no price of its own in the usual one.
    case speech
    /// The fee of a request that searches the web, beside its tokens; the amounts per token are
    /// nothing.
    case search

    /// The word in the ledger and on the command line.
    public var name: String {
        switch self {
        case .usual: "usual"
        case .tier(let tier): tier.rawValue
        case .speech: "speech"
        case .search: "search"
        }
    }

    /// Reads a word; nil where it is none.
    public init?(name: String) {
        switch name {
        case "usual": self = .usual
        case "speech": self = .speech
        case "search": self = .search
        default:
            guard let tier = ServiceTier(rawValue: name) else { return nil }
            self = .tier(tier)
        }
    }

    /// All of them, the usual one first.
    public static let all: [PriceTerms] =
        [.usual] + ServiceTier.allCases.map(PriceTerms.tier) + [.speech, .search]
}

extension ModelRoute {
    /// Its prices by what they are for.
    public var prices: [PriceTerms: Price] {
        var prices: [PriceTerms: Price] = [:]
        prices[.usual] = price
        for (tier, price) in tiers { prices[.tier(tier)] = price }
        prices[.speech] = speech?.price
        prices[.search] = search?.fee.map { Price.searchFee($0, alias: alias) }
        return prices
    }

    /// The same route at other prices, and no others: a tier that has none is not offered, and what
    /// the route does not do at all it does at no price.
    public func priced(_ prices: [PriceTerms: Price]) -> ModelRoute {
        var route = self
        route.price = prices[.usual]
        route.tiers = [:]
        for tier in ServiceTier.allCases { route.tiers[tier] = prices[.tier(tier)] }
        route.speech?.price = prices[.speech]
        route.search?.fee = prices[.search]?.fee
        return route
    }

    /// Every version that a request may be charged by.
    public var versions: [Price] {
        let plain = [price, speech?.price].compactMap(\.self) + Array(tiers.values)
        guard let fee = search?.fee, fee > .zero else { return plain }
        return plain + plain.map { $0.adding(fee: fee) }
    }
}

extension Price {
    /// The version of a model's fee for a search of the web.
    public static func searchFee(_ fee: NanoUSD, alias: String) -> Price {
        let nothing = Price(
            alias: alias, prompt: .zero, cached: .zero, cacheWrite: .zero, completion: .zero)
        return nothing.adding(fee: fee)
    }
}
