/// A backend that gets copies of a route's requests and whose answers nobody sees.
public struct RouteShadow: Sendable, Hashable {
    /// Where the copies go.
    public var target: RouteTarget
    /// How many of a hundred requests are copied.
    public var percent: Int64

    /// Makes a shadow.
    public init(target: RouteTarget, percent: Int64) {
        self.target = target
        self.percent = percent
    }

    /// Whether a request is copied.
    ///
    /// - Parameter random: 64 random bits.
    public func takes(random: UInt64) -> Bool {
        random.multipliedFullWidth(by: 100).high < UInt64(max(0, percent))
    }
}

extension ModelRoute {
    /// The route of the copies: the same, but for where it leads.
    public func shadowed(by shadow: RouteShadow) -> ModelRoute {
        var route = self
        route.targets = [shadow.target]
        route.shadow = nil
        return route
    }
}
