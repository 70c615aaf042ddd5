import Domain
import TestSupport
import Testing

@Suite struct RouteOrders {
    private static func route(_ targets: [(String, Int64?)]) -> ModelRoute {
        var route = ModelRoute(
            alias: "m", backends: ["x"], upstreamModel: "m", contextTokens: 8,
            maximumCompletionTokens: 8, imageTokens: nil, price: nil)
        route.targets = targets.map {
            RouteTarget(backend: $0.0, weight: $0.1, upstreamModel: nil)
        }
        return route
    }

    @Test func `without weights the order is that of the list, and no bits are drawn`() {
        let order = Self.route([("a", nil), ("b", nil), ("c", 0)]).order {
            Issue.record("nothing is to be drawn")
            return 0
        }
        #expect(order.map(\.backend) == ["a", "b", "c"])
    }

    @Test func `requests are shared by weight, and one without is only tried last`() {
        let route = Self.route([("spare", nil), ("a", 9), ("b", 1)])
        var bits = SplitMix(seed: 4)
        var first: [String: Int] = [:]
        for _ in 0..<10_000 {
            let order = route.order { bits.next() }.map(\.backend)
            first[order[0], default: 0] += 1
            #expect(Set(order) == ["a", "b", "spare"])
            #expect(order[2] == "spare")
        }
        #expect(first["spare"] == nil)
        // 1,000 are expected; six standard deviations are 180.
        #expect((820...1180).contains(first["b"] ?? 0))
    }

    @Test func `the extremes of what is drawn stay within the list`() {
        let route = Self.route([("a", 1), ("b", 1), ("c", 1)])
        #expect(route.order { 0 }.map(\.backend) == ["a", "b", "c"])
        #expect(route.order { .max }.map(\.backend) == ["c", "b", "a"])
    }

    @Test func `waits before retries are drawn below a limit that doubles up to the longest`() {
        let policy = RoutingPolicy()
        #expect(policy.wait(beforeRetry: 1, random: 0) == .zero)
        let longest = (1...7).map { policy.wait(beforeRetry: $0, random: .max) }
        let limits = [100, 200, 400, 800, 1600, 2000, 2000]
        #expect(longest.map { $0 + .microseconds(1) } == limits.map { .milliseconds($0) })
    }
}
