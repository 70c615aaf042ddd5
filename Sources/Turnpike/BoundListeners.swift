import Gateway
import Synchronization
import TurnpikeConfiguration

/// Collects where the listeners listen.
final class BoundListeners: Sendable {
    private let state = Mutex<[ListenerName: ListenAddress]>([:])
    private let changes: AsyncStream<Void>
    private let change: AsyncStream<Void>.Continuation

    init() { (changes, change) = AsyncStream<Void>.makeStream(bufferingPolicy: .unbounded) }

    /// Notes a listener's address.
    func note(_ name: ListenerName, _ address: BoundAddress) {
        let listen =
            switch address {
            case .tcp(let host, let port): ListenAddress(host: host, port: port)
            case .unixSocket(let path): ListenAddress(socketPath: path)
            }
        state.withLock { $0[name] = listen }
        change.yield()
    }

    /// Whether a listener listens.
    func isBound(_ name: ListenerName) -> Bool { state.withLock { $0[name] != nil } }

    /// Waits until both listen; throws when the task is cancelled first. For one caller.
    func both() async throws -> ServingAddresses {
        while true {
            let (main, admin) = state.withLock { ($0[.main], $0[.admin]) }
            if let main, let admin { return ServingAddresses(listen: main, adminListen: admin) }
            var iterator = changes.makeAsyncIterator()
            guard await iterator.next() != nil else { throw CancellationError() }
        }
    }
}
