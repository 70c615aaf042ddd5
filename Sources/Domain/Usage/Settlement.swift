/// How a usage record's tokens were counted.
public enum UsageBasis: Int16, Sendable, CaseIterable {
    /// By the backend, in its usage report.
    case reported = 1
    /// By the gateway, on the stream: the backend's report never came.
    case counted = 2
    /// From the journal's progress, after a restart on the same disk.
    case recovered = 3
    /// At the reservation's bound: the node died.
    case swept = 4
    /// Nothing: the request failed before the client got a byte.
    case void = 5
    /// After an outage, for a request that the ledger had not known.
    case late = 6
}

/// How a request ended.
public enum EndState: Int16, Sendable, CaseIterable {
    /// The answer is complete.
    case finished = 1
    /// The gateway cut the stream at the request's bound.
    case cutAtBound = 2
    /// The client left.
    case clientGone = 3
    /// The backend failed after the client had bytes.
    case backendFailed = 4
    /// The backend failed, or refused, before the client had a byte.
    case failedBeforeFirstByte = 5
    /// The key was revoked while the request ran.
    case revoked = 6
    /// The gateway was stopped.
    case drained = 7
    /// The node died and another settled it.
    case nodeLost = 8

    /// The name in reports.
    public var name: String {
        switch self {
        case .finished: "finished"
        case .cutAtBound: "cut_at_bound"
        case .clientGone: "client_gone"
        case .backendFailed: "backend_failed"
        case .failedBeforeFirstByte: "failed_before_first_byte"
        case .revoked: "revoked"
        case .drained: "drained"
        case .nodeLost: "node_lost"
        }
    }
}

/// What became of a request: the facts that its usage record keeps.
public struct Settlement: Sendable, Hashable {
    /// The tokens used; `.none` for a void request.
    public var usage: TokenUsage
    /// How they were counted.
    public var basis: UsageBasis
    /// How the request ended.
    public var endState: EndState
    /// From admission to the first byte of the answer; nil when there was none.
    public var timeToFirstToken: Duration?
    /// From admission to the end.
    public var duration: Duration
    /// Every call that was made for it, in order; empty when there was one and it answered. Only
    /// the usage above is charged.
    public var attempts: [Attempt] = []
    /// The price of how it was served, where the backend told of another service tier than was
    /// asked for. It is charged where it is the cheaper one.
    public var served: Price?

    /// Makes a settlement.
    public init(
        usage: TokenUsage, basis: UsageBasis, endState: EndState, timeToFirstToken: Duration?,
        duration: Duration
    ) {
        self.usage = usage
        self.basis = basis
        self.endState = endState
        self.timeToFirstToken = timeToFirstToken
        self.duration = duration
    }
}

/// The amounts that a settlement moves in accounts, from its facts and its reservation's bound.
///
/// `charged = min(actual, bound)`, per resource: a backend that reports more than it may cannot
/// break a quota; the difference is kept as `overage`, which an operator watches.
public struct Charge: Sendable, Hashable {
    /// Tokens charged.
    public let tokens: Int64
    /// Tokens used beyond the bound; 0 unless a backend lies.
    public let overage: Int64
    /// Requests charged: one, or none for a void request.
    public let requests: Int64
    /// Cost charged; zero without a price.
    public let cost: NanoUSD
    /// The version that the cost is of, where it is that of how the request was served and not the
    /// one that it was admitted at.
    public let servedVersion: Int64?

    /// Works out what to charge for `settlement` of a request reserved at `bound` and `price`.
    public init(_ settlement: Settlement, bound: TokenBound, price: Price?) {
        let isVoid = settlement.basis == .void
        tokens = isVoid ? 0 : min(settlement.usage.total, bound.total)
        overage = isVoid ? 0 : settlement.usage.total - tokens
        requests = isVoid ? 0 : 1
        guard let price, !isVoid else { (cost, servedVersion) = (.zero, nil); return }
        let asked = min(price.cost(of: settlement.usage), price.highestCost(within: bound))
        if let served = settlement.served, served.cost(of: settlement.usage) < asked {
            (cost, servedVersion) = (served.cost(of: settlement.usage), served.version)
        } else {
            (cost, servedVersion) = (asked, nil)
        }
    }

    /// The amount charged of one resource.
    public func amount(of resource: Resource) -> Int64 {
        switch resource {
        case .tokens: tokens
        case .requests: requests
        case .cost: cost.rawValue
        }
    }
}
