import Synchronization

/// Room for so many calls at the same time.
final class CallRoom: Sendable {
    private let free: Mutex<Int>

    /// Room for `count` calls.
    init(_ count: Int) { free = Mutex(count) }

    /// Takes room for one call, which comes back with the lease; nil if there is none.
    func take() -> EngineSlotLease? {
        let isTaken = free.withLock { free in
            guard free > 0 else { return false }
            free -= 1
            return true
        }
        guard isTaken else { return nil }
        return EngineSlotLease(waited: .zero) { self.free.withLock { $0 += 1 } }
    }
}
