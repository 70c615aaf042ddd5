import Domain

/// Requests that wait for an answer, each until its own time is up. Held under the shard's lock;
/// continuations are resumed outside of it.
struct WaitList<Answer: Sendable> {
    private var waiting: [RequestID: CheckedContinuation<Answer, Never>] = [:]
    /// In the order they came. All waits of a list are equally long, so the order is that of the
    /// deadlines too.
    private var order: [(deadline: Uptime, id: RequestID)] = []

    var isEmpty: Bool { waiting.isEmpty }

    mutating func add(
        _ id: RequestID, until deadline: Uptime, _ continuation: CheckedContinuation<Answer, Never>
    ) {
        waiting[id] = continuation
        order.append((deadline, id))
    }

    mutating func take(_ id: RequestID) -> CheckedContinuation<Answer, Never>? {
        waiting.removeValue(forKey: id)
    }

    /// All of them, in the order they came.
    mutating func takeAll() -> [CheckedContinuation<Answer, Never>] {
        defer {
            waiting = [:]
            order = []
        }
        return order.compactMap { waiting.removeValue(forKey: $0.id) }
    }

    /// Those of which `condition` holds.
    mutating func takeWhere(
        _ condition: (RequestID) -> Bool
    ) -> [(id: RequestID, CheckedContinuation<Answer, Never>)] {
        let taken = waiting.filter { condition($0.key) }
        for id in taken.keys { waiting[id] = nil }
        return taken.map { ($0.key, $0.value) }
    }

    /// Those whose time is up.
    mutating func takeExpired(at now: Uptime) -> [(
        id: RequestID, CheckedContinuation<Answer, Never>
    )] {
        var expired: [(RequestID, CheckedContinuation<Answer, Never>)] = []
        var passed = 0
        for entry in order {
            if entry.deadline > now, waiting[entry.id] != nil { break }
            passed += 1
            if entry.deadline <= now, let continuation = waiting.removeValue(forKey: entry.id) {
                expired.append((entry.id, continuation))
            }
        }
        order.removeFirst(passed)
        return expired
    }
}
