/// How fast an account is used on this node, in whole numbers and without a history.
struct DemandGauge: Sendable {
    /// Units admitted in about the last two seconds: decays linearly, which is close enough to an
    /// exponential.
    private var recent: Int64 = 0
    private var largest: Int64 = 0
    private var last: Uptime
    private static let window: Int64 = 2_000_000
    /// How many windows of demand to hold. A lease of two seconds' demand rides out no outage.
    var windows: Int64 = 1
    /// A minute, which is as long as a node may go on alone.
    static let windowsOfAnOutage: Int64 = 30

    init(at now: Uptime) { last = now }

    mutating func note(_ units: Int64, at now: Uptime) {
        recent = min(faded(at: now, over: Self.window) + units, 1 << 50)
        largest = max(units, largest - largest / 16)
        last = now
    }

    /// How much the node should hold. Zero near the end of an account: each request then orders for
    /// itself. Demand fades while nobody asks, within ten seconds for a quota that rides, so that a
    /// short lull does not give away what an outage would need.
    func target(of remaining: Int64, liveNodes: Int64, at now: Uptime) -> Int64 {
        let left = max(0, remaining)
        guard left >= 4 * liveNodes * largest else { return 0 }
        let lull = windows > 1 ? LeaseSlot.idleAfter.microseconds : Self.window
        let wanted = faded(at: now, over: lull) * windows
        // Two seconds of demand, or a minute of it for a quota that rides out outages; at least one
        // large request, at most the node's share of half of what is left, so that no node takes
        // the end of a budget.
        let scarce = min(max(wanted, largest), left / (2 * liveNodes))
        // Where plenty is left, all nodes together may hold a sixteenth of it: twice as long, since
        // a lease is refilled when half of it is gone, and 64 large requests, so that a quiet key
        // does not ask the ledger before each one.
        let ample = min(max(2 * wanted, 64 * largest), left / (16 * liveNodes))
        return max(scarce, ample)
    }

    private func faded(at now: Uptime, over lull: Int64) -> Int64 {
        let elapsed = min(max(0, now.microseconds - last.microseconds), lull)
        return Int64(Int128(recent) * Int128(lull - elapsed) / Int128(lull))
    }
}
