import Synchronization

/// The right to one of the engine's slots. Given back once, at the latest when it is dropped.
final class EngineSlotLease: Sendable {
    /// How long its holder waited for it.
    let waited: Duration
    private let giveBack: Mutex<(@Sendable () -> Void)?>

    /// A lease that calls `giveBack` when it ends.
    init(waited: Duration, giveBack: @escaping @Sendable () -> Void) {
        self.waited = waited
        self.giveBack = Mutex(giveBack)
    }

    /// Gives the slot back; repeating it changes nothing.
    func release() {
        let action = giveBack.withLock { action in
            defer { action = nil }
            return action
        }
        action?()
    }

    /// One that ends with this one, and until then holds on to another, which others may share.
    func keeping(_ other: EngineSlotLease?) -> EngineSlotLease {
        guard let other else { return self }
        return EngineSlotLease(waited: waited) { withExtendedLifetime(other) { self.release() } }
    }

    deinit { release() }
}
