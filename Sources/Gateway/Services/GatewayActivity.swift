import Synchronization

/// What the gateway is doing: how many requests run, and whether it is stopping.
public final class GatewayActivity: Sendable {
    private let running = Atomic<Int>(0)
    private let draining = Atomic<Bool>(false)

    /// Makes the activity of a gateway that has just started.
    init() {}

    /// How many requests are being answered.
    public var runningRequests: Int { running.load(ordering: .relaxed) }

    /// Whether the gateway is stopping: it takes no new request.
    public var isDraining: Bool { draining.load(ordering: .relaxed) }

    func begin() { running.add(1, ordering: .relaxed) }

    func end() { running.subtract(1, ordering: .relaxed) }

    func drain() { draining.store(true, ordering: .relaxed) }
}
