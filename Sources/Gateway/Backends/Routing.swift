import Domain

/// A backend that a request may be sent to.
struct Candidate: Sendable {
    let backend: any Backend
    let health: BackendHealth
    /// The name it knows the model by.
    let upstreamModel: String

    /// The backend's name.
    var name: String { backend.name }
}

/// What it takes to choose among backends, and to choose again.
struct Routing: Sendable {
    let policy: RoutingPolicy
    /// 64 random bits.
    let random: @Sendable () -> UInt64
    /// Waits; returns early when the task is cancelled.
    let pause: @Sendable (Duration) async -> Void
    private let backends: [String: (backend: any Backend, health: BackendHealth)]

    /// Knows nothing of the backends yet but that they are there.
    init(
        _ backends: BackendSet, _ policy: RoutingPolicy, random: @escaping @Sendable () -> UInt64,
        pause: @escaping @Sendable (Duration) async -> Void
    ) {
        self.policy = policy
        self.random = random
        self.pause = pause
        self.backends = Dictionary(
            backends.all.map { ($0.name, ($0, BackendHealth(policy))) }
        ) { _, later in later }
    }

    /// The candidate that a target stands for; nil where there is no such backend.
    func candidate(_ target: RouteTarget, of route: ModelRoute) -> Candidate? {
        guard let (backend, health) = backends[target.backend] else { return nil }
        return Candidate(
            backend: backend, health: health, upstreamModel: route.upstreamModel(at: target))
    }
}
