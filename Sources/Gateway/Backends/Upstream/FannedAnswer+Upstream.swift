extension FannedAnswer {
    /// How many calls one request has under way at an upstream at the same time.
    private static let callsAtOnce = 8

    /// Begins one call for each choice, some at a time, as `begin` does, which holds the lease until
    /// its answer ends; returns once the first has begun.
    static func beginAtUpstream(
        _ call: BackendCall,
        by begin:
            @escaping @Sendable (_ call: BackendCall, _ lease: EngineSlotLease?)
            async throws(BackendFailure) -> any BackendAnswer
    ) async throws(BackendFailure) -> FannedAnswer {
        let room = CallRoom(callsAtOnce)
        return try await Self.begin(call) { call, waits throws(BackendFailure) in
            // Who waits has nothing under way, so there is room.
            guard let lease = room.take() else {
                return waits ? try await begin(call, nil) : nil
            }
            return try await begin(call, lease)
        }
    }
}
