/// What a model alias stands for: the backends that serve it, its limits and its price.
public struct ModelRoute: Sendable, Hashable {
    /// The name clients ask for.
    public let alias: String
    /// The backends that serve it, in order of preference or by weight; at least one.
    public var targets: [RouteTarget]
    /// Who gets copies of its requests, if anybody does.
    public var shadow: RouteShadow?
    /// The name the backends know the model by, where they have none of their own for it.
    public let upstreamModel: String
    /// The context window in tokens, prompt and completion together.
    public let contextTokens: Int64
    /// The most completion tokens one request may ask for.
    public let maximumCompletionTokens: Int64
    /// The most tokens that one image in a prompt can be; nil where the model takes no images.
    public let imageTokens: Int64?
    /// What other parts of a prompt can be: nothing but text and images unless it is set.
    public var media = MediaTokens()
    /// What its backends add to a prompt, where they cannot count it.
    public var overhead = PromptOverhead.usual
    /// The service tiers that a request may ask for, each with its own price.
    public var tiers: [ServiceTier: Price] = [:]
    /// Whether it is no longer served: who asks for it is told so, and nobody finds it in a list.
    public var isRetired = false
    /// The highest temperature that a request may ask of it, in thousandths.
    public var maximumTemperatureThousandths = Self.usualMaximumTemperature
    /// How it speaks its answers; nil where it does not.
    public var speech: SpeechTerms?
    /// How it searches the web; nil where it does not.
    public var search: SearchTerms?
    /// The price, if one is set.
    public var price: Price?

    /// The contract's own highest temperature, in thousandths.
    public static let usualMaximumTemperature: Int64 = 2_000

    /// Makes a route; traps without a backend, which the configuration refuses first.
    public init(
        alias: String, backends: [String], upstreamModel: String, contextTokens: Int64,
        maximumCompletionTokens: Int64, imageTokens: Int64?, price: Price?
    ) {
        precondition(!backends.isEmpty, "a model alias has at least one backend")
        self.alias = alias
        targets = backends.map { RouteTarget(backend: $0, weight: nil, upstreamModel: nil) }
        self.upstreamModel = upstreamModel
        self.contextTokens = contextTokens
        self.maximumCompletionTokens = maximumCompletionTokens
        self.imageTokens = imageTokens
        self.price = price
    }

    /// The names of its backends, as they stand in the configuration.
    public var backends: [String] { targets.map(\.backend) }
}

/// Every model alias that this gateway serves: an immutable snapshot, swapped whole.
public struct Catalog: Sendable {
    /// What a name and a principal come to.
    public enum Resolution: Sendable, Equatable {
        /// The alias stands for this route and the principal may use it.
        case route(ModelRoute)
        /// The alias exists and the principal may not use it.
        case forbidden
        /// There is no such alias.
        case unknown
    }

    private let routes: [String: ModelRoute]

    /// Makes a snapshot; of two routes with one alias the later wins, which the configuration
    /// refuses first.
    public init(routes: [ModelRoute]) {
        self.routes = Dictionary(routes.map { ($0.alias, $0) }) { _, later in later }
    }

    /// Resolves an alias for a principal. A key's list that names an alias not in the catalog gives
    /// `unknown`.
    public func resolve(_ alias: String, for principal: Principal) -> Resolution {
        guard let route = routes[alias] else { return .unknown }
        return principal.mayUse(model: alias) ? .route(route) : .forbidden
    }

    /// The routes a principal may use, by alias.
    public func routes(for principal: Principal) -> [ModelRoute] {
        routes.values.filter { principal.mayUse(model: $0.alias) && !$0.isRetired }.sorted {
            $0.alias < $1.alias
        }
    }

    /// Every route, by alias.
    public var all: [ModelRoute] { routes.values.sorted { $0.alias < $1.alias } }
}
