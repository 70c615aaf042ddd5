public import Domain
import Synchronization

/// The requests that run, by the key they came with, so that they end when their key does.
///
/// A proves a key from memory; meanwhile B learns that it was revoked and ends what runs, which A's
/// request does not yet: so an end is remembered for a while, and A, when it comes to be noted here,
/// is told of an end that came after its request did.
public final class RunningKeys: Sendable {
    /// For how long an end is remembered: far longer than proving a key takes.
    private static let memory: Duration = .seconds(60)

    private struct State {
        var running: [KeyID: [RequestID: @Sendable (KeyEnd) -> Void]] = [:]
        var ended: [KeyID: (end: KeyEnd, at: Uptime)] = [:]
    }

    private let time: any TimeSource
    private let state = Mutex(State())

    /// Makes a list without requests.
    public init(time: any TimeSource) { self.time = time }

    /// Ends what runs under a key, and what was about to.
    ///
    /// Those told are told under the lock: one that is over has left the list, so its connection,
    /// which may be at another key's request by then, is left alone.
    public func end(_ key: KeyID, because end: KeyEnd) {
        let now = time.uptime
        state.withLock { state in
            state.ended = state.ended.filter { now - $0.value.at < Self.memory }
            state.ended[key] = (end, now)
            for cut in (state.running[key] ?? [:]).values { cut(end) }
        }
    }

    /// Notes a request that came at `since`; `cut` is called at most once for each end of its key,
    /// must not wait, and must not come back here. Throws when the key has ended meanwhile.
    func begin(
        _ id: RequestID, of key: KeyID, since: Uptime, cut: @escaping @Sendable (KeyEnd) -> Void
    ) throws(GatewayFailure) {
        let ended = state.withLock { state -> KeyEnd? in
            if let ended = state.ended[key], ended.at >= since { return ended.end }
            state.running[key, default: [:]][id] = cut
            return nil
        }
        if let ended { throw ClientPresence.Departure.keyEnded(ended).failure }
    }

    /// Notes that a request is over.
    func finish(_ id: RequestID, of key: KeyID) {
        state.withLock { state in
            state.running[key]?[id] = nil
            if state.running[key]?.isEmpty == true { state.running[key] = nil }
        }
    }

    /// How many requests run.
    var count: Int { state.withLock { $0.running.values.reduce(0) { $0 + $1.count } } }
}
