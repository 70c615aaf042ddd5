import Synchronization

/// The right to one of the engine's slots. Given back once, at the latest when it is dropped.
final class EngineSlotLease: Sendable {
    private let giveBack: Mutex<(@Sendable () -> Void)?>

    /// A lease that calls `giveBack` when it ends.
    init(giveBack: @escaping @Sendable () -> Void) { self.giveBack = Mutex(giveBack) }

    /// Gives the slot back; repeating it changes nothing.
    func release() {
        let action = giveBack.withLock { action in
            defer { action = nil }
            return action
        }
        action?()
    }

    deinit { release() }
}
