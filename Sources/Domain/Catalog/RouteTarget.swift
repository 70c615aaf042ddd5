/// One of the backends that a model alias names.
public struct RouteTarget: Sendable, Hashable {
    /// Its name in the configuration.
    public var backend: String
    /// Its share of the requests beside those of the other weighted ones; nil or 0 for one that is
    /// only tried after the weighted ones.
    public var weight: Int64?
    /// The name it knows the model by; nil for the route's.
    public var upstreamModel: String?

    /// Makes a target.
    public init(backend: String, weight: Int64?, upstreamModel: String?) {
        self.backend = backend
        self.weight = weight
        self.upstreamModel = upstreamModel
    }
}

extension ModelRoute {
    /// The backends in the order in which one request tries them: weighted ones first, drawn by
    /// their weights without putting back, then the others as they stand.
    ///
    /// - Parameter random: gives 64 random bits; asked only where there are weights to draw by.
    public func order(random: () -> UInt64) -> [RouteTarget] {
        guard targets.count > 1, targets.contains(where: { ($0.weight ?? 0) > 0 }) else {
            return targets
        }
        var weighted = targets.filter { ($0.weight ?? 0) > 0 }
        var order: [RouteTarget] = []
        order.reserveCapacity(targets.count)
        while weighted.count > 1 {
            let total = weighted.reduce(0) { $0 + ($1.weight ?? 0) }
            var rest = Int64(UInt64(total).multipliedFullWidth(by: random()).high)
            let drawn = weighted.firstIndex { target in
                rest -= target.weight ?? 0
                return rest < 0
            }
            order.append(weighted.remove(at: drawn ?? 0))
        }
        return order + weighted + targets.filter { ($0.weight ?? 0) <= 0 }
    }

    /// The name that the backend of a name knows the model by; nil where it does not serve it.
    public func upstreamModel(atBackend name: String) -> String? {
        (targets + [shadow?.target].compactMap(\.self)).first { $0.backend == name }
            .map(upstreamModel(at:))
    }

    /// The name that a backend knows the model by.
    public func upstreamModel(at target: RouteTarget) -> String {
        target.upstreamModel ?? upstreamModel
    }
}
